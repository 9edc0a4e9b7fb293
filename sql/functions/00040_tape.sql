-- +goose Up
-- event_hash is SHA-256 over the hash of the event before and, in UTF-8 with a line feed between
-- them, market, seq, at (UTC, microseconds), kind and body. The first event follows 32 zero bytes.
-- +goose StatementBegin
create or replace function pgtape_core.event_hash(
    prev_hash bytea,
    market text,
    seq bigint,
    at timestamptz,
    kind text,
    body text
)
    returns bytea
    language plpgsql
    immutable
as $$
begin
    return sha256(prev_hash || convert_to(
        market || E'\n' || seq || E'\n' || pgtape_core.json_time(at) || E'\n' || kind || E'\n' || body,
        'UTF8'
    ));
end;
$$;
-- +goose StatementEnd

-- cursor_of names one point of one history: the seq and the first 16 hex digits of its hash.
-- +goose StatementBegin
create or replace function pgtape_core.cursor_of(seq bigint, hash bytea)
    returns text
    language sql
    immutable
    set search_path = pg_catalog, pg_temp
as $$
    select seq || '.' || left(encode(hash, 'hex'), 16);
$$;
-- +goose StatementEnd

-- next_event gives the event behind the one of this seq and hash.
-- +goose StatementBegin
create or replace function pgtape_core.next_event(
    market text,
    seq bigint,
    hash bytea,
    at timestamptz,
    kind text,
    body text
)
    returns pgtape_core.tape
    language plpgsql
    immutable
as $$
begin
    return (
        market, seq + 1, at, kind, body, hash, pgtape_core.event_hash(hash, market, seq + 1, at, kind, body)
    )::pgtape_core.tape;
end;
$$;
-- +goose StatementEnd

-- append_event writes a market's new state and the event that announces it, under the next seq, and
-- returns the state as written. The caller has locked the book and filled in what changes.
-- Locks:  none further.
-- Writes: book, tape; rings the doorbell if a reader wants it rung.
-- +goose StatementBegin
create or replace function pgtape_core.append_event(
    market text,
    book pgtape_core.book,
    at timestamptz,
    kind text,
    body text
)
    returns pgtape_core.book
    language plpgsql
    volatile
    set search_path = pg_catalog, pg_temp
as $$
declare
    v_event pgtape_core.tape := pgtape_core.next_event(market, book.version, book.head, at, kind, body);
begin
    book.version := v_event.seq;
    book.updated_at := at;
    book.head := v_event.hash;
    perform pgtape_core.append_events(array[v_event], array[book]);
    return book;
end;
$$;
-- +goose StatementEnd

-- append_events writes events, and the states of their markets, which the caller has locked.
-- Writes: tape, book; rings the doorbell if a reader wants it rung.
-- +goose StatementBegin
create or replace function pgtape_core.append_events(events pgtape_core.tape[], books pgtape_core.book[])
    returns void
    language plpgsql
    volatile
as $$
begin
    insert into pgtape_core.tape select e.* from unnest(events) e;
    perform pgtape_core.write_books(books);
    perform pgtape_core.notify_readers(events);
end;
$$;
-- +goose StatementEnd

-- write_books writes the states of markets, which the caller has locked.
-- Writes: book.
-- +goose StatementBegin
create or replace function pgtape_core.write_books(books pgtape_core.book[])
    returns void
    language plpgsql
    volatile
as $$
begin
    update pgtape_core.book b
    set status = n.status,
        version = n.version,
        head = n.head,
        outstanding = n.outstanding,
        prices = n.prices,
        volume = n.volume,
        trades = n.trades,
        proposal = n.proposal,
        payout = n.payout,
        updated_at = n.updated_at
    from unnest(books) n
    where b.market_id = n.market_id;
end;
$$;
-- +goose StatementEnd

-- append_house_event writes an event of the house's tape: an account, a grant. What balances begin with
-- is so as public, and as hard to rewrite, as what became of it.
-- Locks:  the house's tape.
-- Writes: house_tape, tape; rings the doorbell if a reader wants it rung.
-- +goose StatementBegin
create or replace function pgtape_core.append_house_event(
    at timestamptz,
    kind text,
    body text
)
    returns void
    language plpgsql
    volatile
    set search_path = pg_catalog, pg_temp
as $$
declare
    v_house pgtape_core.house_tape;
    v_event pgtape_core.tape;
begin
    select h.* into v_house from pgtape_core.house_tape h for no key update;
    v_event := pgtape_core.next_event('house', v_house.version, v_house.head, at, kind, body);
    insert into pgtape_core.tape values (v_event.*);
    update pgtape_core.house_tape set version = v_event.seq, head = v_event.hash;
    perform pgtape_core.notify_readers(array[v_event]);
end;
$$;
-- +goose StatementEnd

-- notify_readers tells readers in notify mode that markets have new events, while there are any readers.
-- +goose StatementBegin
create or replace function pgtape_core.notify_readers(events pgtape_core.tape[])
    returns void
    language plpgsql
    volatile
as $$
begin
    if (select d.ringing_until > clock_timestamp() from pgtape_core.doorbell d) then
        perform pg_notify('pgtape_tape', e.market || ' ' || max(e.seq)) from unnest(events) e group by e.market;
    end if;
end;
$$;
-- +goose StatementEnd

-- keep_doorbell_ringing makes commits NOTIFY for the next 30 seconds. A reader in notify mode
-- calls it more often than that; when the last one is gone, trades soon pay nothing for it.
-- +goose StatementBegin
create or replace function pgtape.keep_doorbell_ringing()
    returns timestamptz
    language sql
    volatile
    security definer
    set search_path = pg_catalog, pg_temp
as $$
    update pgtape_core.doorbell
    set ringing_until = greatest(ringing_until, clock_timestamp() + interval '30 seconds')
    returning ringing_until;
$$;
-- +goose StatementEnd
