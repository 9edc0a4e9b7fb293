-- +goose Up
-- Lists of markets are read in the order of an index, a page at a time, and searched by index; who
-- makes markets is limited. docs/architecture.md says why these columns and not the ones they are of.

-- A trade changes updated_at and volume, and an index on a column that changes costs every trade its
-- writing. These change once a minute, and by each fiftieth of the volume.
alter table pgtape_core.book
    add column active_minute timestamp not null generated always as (date_trunc('minute', updated_at at time zone 'UTC')) stored,
    add column volume_class integer not null generated always as (
        case when volume > 0 then 1 + floor(50 * ln(1 + least(volume, 1e30)::double precision))::integer else 0 end
    ) stored;

comment on column pgtape_core.book.active_minute is 'minute of updated_at, in UTC: what lists by last event are read by';
comment on column pgtape_core.book.volume_class is
    'rises by 1 as the volume grows by a fiftieth; 0: no volume. What lists by volume are read by';

create index book_active on pgtape_core.book (active_minute);
create index book_volume on pgtape_core.book (volume_class);
create index book_status on pgtape_core.book (status);

create index market_created on pgtape_core.market (created_at);
create index market_category on pgtape_core.market (category);
create index market_closes on pgtape_core.market (closes_at) where closes_at is not null;
create index market_funder_created on pgtape_core.market (funder_id, created_at);
drop index pgtape_core.market_funder;

-- Each market has an account, its escrow: people are found without them.
create index account_person on pgtape_core.account (id) where kind = 'person';

-- How markets ended, the newest first: for the feeds.
create index tape_end on pgtape_core.tape (at, market, seq) where kind in ('resolved', 'void', 'corrected');

-- What a market is found by: all that is one, two or three characters long of its question, slug and
-- category. An extension (pg_trgm) would do, and is not there everywhere.
create table pgtape_core.market_search (
    market_id bigint primary key references pgtape_core.market,
    text      text not null,
    terms     text[] not null
);

comment on column pgtape_core.market_search.text is 'question, slug and category in small letters';

insert into pgtape_core.market_search (market_id, text, terms)
select s.id, s.text,
       array(
           select distinct substr(s.text, i, n)
           from generate_series(1, length(s.text)) i
           cross join generate_series(1, 3) n
           where i + n - 1 <= length(s.text)
       )
from (select m.id, lower(m.question || ' ' || m.slug || ' ' || m.category) as text from pgtape_core.market m) s;

create index market_search_terms on pgtape_core.market_search using gin (terms) with (fastupdate = off); -- a list of what is pending would be read by every search

-- Who may make markets, and how many. Operators and the house are not limited.
insert into pgtape_core.setting (name, value)
values ('market_creation', 'everyone'), ('market_min_liquidity', '1'), ('markets_per_day', '20')
on conflict do nothing;

-- +goose Down
delete from pgtape_core.setting where name in ('market_creation', 'market_min_liquidity', 'markets_per_day');
drop table pgtape_core.market_search cascade;
drop index pgtape_core.tape_end;
drop index pgtape_core.account_person;
create index market_funder on pgtape_core.market (funder_id);
drop index pgtape_core.market_funder_created;
drop index pgtape_core.market_closes;
drop index pgtape_core.market_category;
drop index pgtape_core.market_created;
-- Cascade: to views and functions, which the next migrate up applies again.
alter table pgtape_core.book
    drop column volume_class cascade,
    drop column active_minute cascade;
drop index if exists pgtape_core.book_status;
