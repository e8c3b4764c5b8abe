-- Binds the bare column names of an expression argument (ev_extra3=…, when=…) to a row: name becomes i_row."name".
--
-- Bound are unquoted identifiers that equal a column name exactly. Left alone: strings, quoted identifiers, comments, numbers,
-- both sides of a dot (tbl.col), function names. i_row is SQL such as `new` or `($1)`.
create or replace function skytools.capture_bind(i_expression text, i_columns text[], i_row text) returns text
language plpgsql immutable strict set search_path = pg_catalog, pg_temp as $$
declare
  -- The longest of these is the next token: string, quoted identifier, comment, number, identifier, blanks, any character.
  c_token constant text := '^([eE]''(?:[^''\\]|''''|\\.)*''|''(?:[^'']|'''')*''|"(?:[^"]|"")*"|--[^\n]*|/\*(?:[^*]|\*+[^*/])*\*+/'
                           '|\d[\w.]*|[[:alpha:]_\u0080-\uffff][\w$\u0080-\uffff]*|\s+|.)';
  v_rest text := i_expression;
  v_token text;
  v_tag text;
  v_before text := '';  -- the last token that is not blank
  v_result text := '';
begin
  while v_rest <> '' loop
    v_tag := substring(v_rest from '^(\$(?:[A-Za-z_]\w*)?\$)');  -- $tag$ ... $tag$
    if v_tag is not null then
      v_token := v_tag || split_part(v_rest, v_tag, 2) || v_tag;
    else
      v_token := substring(v_rest from c_token);
    end if;
    v_rest := substr(v_rest, length(v_token) + 1);
    if v_token = any (i_columns) and v_before <> '.' and v_rest !~ '^\s*[.(]' then
      v_result := v_result || i_row || '."' || v_token || '"';
    else
      v_result := v_result || v_token;
    end if;
    if v_token !~ '^\s' then
      v_before := v_token;
    end if;
  end loop;
  return v_result;
end
$$;
comment on function skytools.capture_bind(text, text[], text) is
  'Binds the bare column names of an expression argument to a row.';
