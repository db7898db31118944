-- Under which scope of its layer's grant each answer was found: an answer is shown while the grant opens the whole layer, or the same part
-- of it as then.
alter table onemap.address_job add column scopes bigint[] not null default '{}';
comment on column onemap.address_job.scopes is 'beside sources: the fingerprint of the scope that the layer was searched under';
