-- +goose Up
-- The one place that knows what a text may be that a person gives. All doors come here, psql too;
-- docs/texts.md has the rules and why. Nothing here depends on the locale or the version of Postgres.

-- identifier gives a handle, slug or other name that a person typed as it is looked up: without spaces
-- and invisible characters around it, in lower case. Names are ASCII, so the collation "C" folds them
-- all, where a Turkish one would make two people of IVAN and ivan. No name is as long as what is cut.
create or replace function pgtape_core.identifier(value text)
    returns text
    language sql
    immutable
    return lower(btrim(
        left(value, 200),
        E' \u0009\u000A\u000B\u000C\u000D\u0085\u00A0\u00AD\u1680\u2000\u2001\u2002\u2003\u2004\u2005\u2006\u2007\u2008\u2009\u200A\u200B\u200C\u200D\u200E\u200F\u2028\u2029\u202A\u202B\u202C\u202D\u202E\u202F\u205F\u2060\u3000\uFEFF'
    ) collate "C");

-- excerpt gives the beginning of a text of a caller for a message, with what cannot be seen made visible.
create or replace function pgtape_core.excerpt(value text)
    returns text
    language sql
    immutable
    return regexp_replace(left(value, 60), E'[\\u0001-\\u001f\\u007f-\\u009f\\u00ad\\u061c\\u180e\\u200b-\\u200f\\u2028-\\u202e\\u2060-\\u206f\\ue000-\\uf8ff\\ufeff\\ufff0-\\uffff\\U000E0000-\\U0010FFFF]', E'\uFFFD', 'g')
        || case when length(left(value, 61)) > 60 then '…' else '' end;

-- spaced gives a text with Unicode's spaces as plain ones and none around it. In one line, runs of
-- them are one; of several, each ends with a line feed, and Markdown's indents stay.
-- +goose StatementBegin
create or replace function pgtape_core.spaced(value text, lines boolean)
    returns text
    language plpgsql
    immutable
    strict
as $$
begin
    value := translate(
        value, E'\u00A0\u1680\u2000\u2001\u2002\u2003\u2004\u2005\u2006\u2007\u2008\u2009\u200A\u202F\u205F\u3000', repeat(' ', 16)
    );
    if lines then
        return btrim(regexp_replace(value, E'\\r\\n?|[\\u000b\\u000c\\u0085\\u2028\\u2029]', E'\n', 'g'), E' \t\n');
    end if;
    value := btrim(value, E' \u0009\u000A\u000B\u000C\u000D\u0085\u2028\u2029');
    return regexp_replace(value, E'[ \\t]+', ' ', 'g');
end;
$$;
-- +goose StatementEnd

-- without_placed gives a text with an x for each invisible character that is right where it stands:
-- joiners between letters of scripts that need them, and in emoji; variation selectors behind what has
-- variants; the tags of a flag.
create or replace function pgtape_core.without_placed(value text)
    returns text
    language sql
    immutable
    return regexp_replace(regexp_replace(regexp_replace(regexp_replace(regexp_replace(regexp_replace(
        value,
        E'\\U0001F3F4[\\U000E0030-\\U000E0039\\U000E0061-\\U000E007A]{2,7}\\U000E007F', 'x', 'g'),
        E'(?<=[\\u0600-\\u0DFF\\u1000-\\u109F\\u1780-\\u18AF\\u1900-\\u1C4F\\uA800-\\uA8FF\\uA930-\\uAADF\\uABC0-\\uABFF\\uFB50-\\uFDFF\\uFE70-\\uFEFC\\U00010A00-\\U00011FFF\\U0001E900-\\U0001E95F])[\\u200C\\u200D](?=[\\u0600-\\u0DFF\\u1000-\\u109F\\u1780-\\u18AF\\u1900-\\u1C4F\\uA800-\\uA8FF\\uA930-\\uAADF\\uABC0-\\uABFF\\uFB50-\\uFDFF\\uFE70-\\uFEFC\\U00010A00-\\U00011FFF\\U0001E900-\\U0001E95F])', 'x', 'g'),
        E'(?<=[\\u094D\\u09CD\\u0A4D\\u0ACD\\u0B4D\\u0BCD\\u0C4D\\u0CCD\\u0D4D\\u0DCA])\\u200D', 'x', 'g'),
        E'(?<=[\\u00A9\\u00AE\\u203C\\u2049\\u2100-\\u27BF\\u2900-\\u2BFF\\u3030\\u303D\\u3297\\u3299\\U0001F000-\\U0001FAFF\\uFE0F])\\u200D(?=[\\u00A9\\u00AE\\u203C\\u2049\\u2100-\\u27BF\\u2900-\\u2BFF\\U0001F000-\\U0001FAFF])', 'x', 'g'),
        E'(?<=[#*0-9\\u00A9\\u00AE\\u203C\\u2049\\u2100-\\u27BF\\u2900-\\u2BFF\\u3030\\u303D\\u3297\\u3299\\U0001F000-\\U0001FAFF])[\\uFE0E\\uFE0F]', 'x', 'g'),
        E'(?<=[\\u1800-\\u18AF])[\\u180B-\\u180D]|(?<=[\\u2E80-\\u2FDF\\u3005-\\u3007\\u3400-\\u9FFF\\uF900-\\uFAFF\\U00020000-\\U0003FFFF])[\\U000E0100-\\U000E01EF]', 'x', 'g');

-- what_is words why a character is refused.
create or replace function pgtape_core.what_is(code integer)
    returns text
    language sql
    immutable
    return case
        when code = 10 then 'a line feed, and this is one line'
        when code < 32 or code between 127 and 159 then 'a control character'
        when code in (8232, 8233) then 'a line separator, and this is one line'
        when code in (1564, 8206, 8207) or code between 8234 and 8238 or code between 8294 and 8303 then
            'a mark that changes the direction of text'
        when code = 65533 then 'the sign of a character that was lost on the way: send UTF-8'
        when code between 57344 and 63743 or code >= 983040 then 'for private use, and looks different everywhere'
        when code in (8203, 8204, 8205, 8288, 65279, 173, 847, 10240, 12644, 65440, 4447, 4448, 6068, 6069)
            or code between 65024 and 65039 or code between 917504 and 917999 then 'not seen'
        else 'not one that everybody can see'
    end;

-- length_error says that a text is too short or too long, or null if it is neither.
create or replace function pgtape_core.length_error(name text, value text, shortest integer, longest integer)
    returns text
    language sql
    immutable
    return case
        when value is null or octet_length(value) > 4 * longest or length(value) not between shortest and longest then
            format('%s has %s', name, case shortest when 0 then 'at most ' else shortest || ' to ' end || longest || ' characters')
    end;

-- character_error says which character of a text, as spaced gives it, is refused and why; null if none is.
-- +goose StatementBegin
create or replace function pgtape_core.character_error(name text, value text, lines boolean)
    returns text
    language plpgsql
    immutable
as $$
declare
    v_rest  text := value;
    v_forms text;
    v_at    integer;
begin
    if value collate "C" ~ '^[ -~]*$' then
        return null;
    end if;
    if value collate "C" ~ E'[\\u180B-\\u180D\\u200C\\u200D\\uFE00-\\uFE0F\\U000E0020-\\U000E007F\\U000E0100-\\U000E01EF]' then
        v_rest := pgtape_core.without_placed(value);
    end if;
    if not pgtape_core.has_text_fault(v_rest) and (lines or strpos(v_rest, E'\n') = 0) then
        return null;
    end if;
    -- Only to say which: one letter for each character, of its class.
    select string_agg(case
               when c.value = E'\n' and not lines then 'r'
               else translate(pgtape_core.character_class(ascii(c.value)), 'p', 'r')
           end, '' order by c.i)
    into v_forms
    from string_to_table(v_rest, null) with ordinality as c (value, i);
    v_at := strpos(v_forms, 'r');
    if v_at > 0 then
        return format(
            '%s: character %s is U+%s, which is %s', name, v_at, regexp_replace(upper(lpad(to_hex(ascii(substr(v_rest, v_at, 1))), 6, '0')), '^00?', ''),
            pgtape_core.what_is(ascii(substr(v_rest, v_at, 1)))
        );
    elsif v_forms ~ '^m' or strpos(v_forms, 'x') = 0 and v_forms <> '' then
        return name || ' has nothing to see, or begins with a mark for the letter before';
    elsif v_forms ~ 'm{9}' then
        return format('%s has more than 8 marks on one letter, behind character %s', name, strpos(v_forms, 'mmmmmmmmm') - 1);
    end if;
    return null;
end;
$$;
-- +goose StatementEnd

-- text_error says what is wrong with a text as it is kept, or null if nothing is. The length comes
-- first, so that nothing is done to what is too long.
create or replace function pgtape_core.text_error(name text, value text, shortest integer, longest integer, lines boolean)
    returns text
    language sql
    immutable
    return coalesce(pgtape_core.length_error(name, value, shortest, longest), pgtape_core.character_error(name, value, lines));

-- require_text gives a text of a person as it is kept: spaced, and in the form NFC. What is measured is
-- what is kept: taken apart (NFD), a letter is up to four characters of 12 octets.
-- Raises: TP011 too short or long, or with a character that is refused.
-- +goose StatementBegin
create or replace function pgtape_core.require_text(name text, value text, shortest integer, longest integer, lines boolean default false)
    returns text
    language plpgsql
    immutable
as $$
declare
    v_kept text;
begin
    if octet_length(value) > 12 * longest + 100 then -- nothing is done to it
        perform pgtape_core.refuse_error(pgtape_core.length_error(name, value, shortest, longest));
    end if;
    value := pgtape_core.spaced(value, lines);
    -- Before normalize: for what is refused, that depends on the version of Postgres.
    perform pgtape_core.refuse_error(pgtape_core.character_error(name, value, lines));
    v_kept := normalize(value, nfc);
    perform pgtape_core.refuse_error(pgtape_core.length_error(name, v_kept, shortest, longest));
    if v_kept <> value collate "C" then -- NFC takes some characters apart for good: there are more marks then
        perform pgtape_core.refuse_error(pgtape_core.character_error(name, v_kept, lines));
    end if;
    return v_kept;
end;
$$;
-- +goose StatementEnd

-- look_alike_key gives the same for all names that look the same: forms of compatibility, cases, look-alikes of
-- other scripts, spaces and invisible characters make no difference. For comparing, not for showing.
-- +goose StatementBegin
create or replace function pgtape_core.look_alike_key(name text)
    returns text
    language plpgsql
    immutable
    strict
as $$
declare
    v_name text := left(name, 2000);
begin
    if v_name collate "C" !~ '^[ -~]*$' then
        v_name := normalize(pgtape_core.spaced(v_name, false), nfkc);
        select string_agg(case f.class when 's' then ' ' else c.value end, '' order by c.i)
        into v_name
        from string_to_table(v_name, null) with ordinality as c (value, i)
        cross join lateral pgtape_core.character_class(ascii(c.value)) as f (class)
        where f.class in ('x', 'm', 's') or ascii(c.value) between 917536 and 917630; -- a flag differs by its tags
        v_name := replace(pgtape_core.folded_letters(coalesce(v_name, '')), 'ß', 'ss');
        -- Again under the marks: ӑ is made of an а as ă is of an a. An i has its dot already.
        v_name := pgtape_core.folded_letters(normalize(v_name, nfkd));
        v_name := normalize(regexp_replace(v_name, E'([ij][\\u0316-\\u0333]*)\\u0307', E'\\1', 'g'), nfkc);
    end if;
    return lower(btrim(regexp_replace(v_name, ' +', ' ', 'g')) collate "C");
end;
$$;
-- +goose StatementEnd

-- outcome_spelled gives the name of an outcome as its market has it, for one that is typed with other
-- spaces, cases or forms; what names none as it is. Trades come here with their market locked: what is no
-- outcome's name by its length costs nothing, and what is typed is folded once.
-- +goose StatementBegin
create or replace function pgtape_core.outcome_spelled(outcomes text[], name text)
    returns text
    language plpgsql
    immutable
    strict
as $$
declare
    v_typed   text;
    v_key     text;
    v_outcome text;
begin
    if name = '*' or name = any (outcomes) or octet_length(name) > 12 * 60 + 100 then
        return name;
    end if;
    v_typed := normalize(pgtape_core.spaced(name, false), nfc);
    if v_typed = any (outcomes) then
        return v_typed;
    elsif v_typed in ('', '*') or length(v_typed) > 60 then
        return name;
    end if;
    v_key := pgtape_core.look_alike_key(v_typed);
    foreach v_outcome in array outcomes loop
        if pgtape_core.look_alike_key(v_outcome) = v_key then
            return v_outcome;
        end if;
    end loop;
    return name;
end;
$$;
-- +goose StatementEnd
