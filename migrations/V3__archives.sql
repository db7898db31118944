-- A revision may be an archive of finished vector tiles instead of a table: what is known of it stands here, its tiles in the data
-- directory, in `archives/<id>.pmtiles`. No table has the `table_name` of such a revision.

alter table onemap.revision add column archive jsonb;
comment on column onemap.revision.archive is
    'null for a table; else zooms, size and vector layers of the tile archive archives/<id>.pmtiles';
