-- Jobs whose input is held by one node alone, in its memory: other nodes leave them to it while it is heard of.

alter table onemap.job add column node uuid;
comment on column onemap.job.node is 'the process that holds the input of the job; null: any may take it';
