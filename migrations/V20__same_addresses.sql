-- What somebody decides on a row holds for the other rows of its text: results keep a number of the text, and a decision says which row
-- it follows.
alter table onemap.address_decision add column follows bigint;
create index on onemap.address_decision (job_id, follows) where follows is not null;

-- Results of older runs have no numbers: their rows stay by themselves.
do $$
declare results name;
begin
    for results in select tablename from pg_tables where schemaname = 'address' loop
        execute format('alter table address.%I add column if not exists text_number int8', results);
    end loop;
end $$;
