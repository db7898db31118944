-- How a layer's tiles are thinned. Both go into its tile index, which is built anew when they change.

alter table onemap.layer
    -- A field of numbers: where not everything fits, the features with the higher ones are shown first.
    add column tile_rank text,
    -- Bytes of one tile of the layer at most, compressed; null is the default of 500,000.
    add column tile_limit int check (tile_limit between 10000 and 20000000);

comment on column onemap.layer.tile_rank is 'the field whose higher numbers show first on the map';
comment on column onemap.layer.tile_limit is 'bytes of one gzip-compressed tile at most';
