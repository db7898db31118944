-- A record's date of its data follows edits of single features, too; what changes nothing of a record does not make it another version.

create or replace function onemap.catalogue_layer(of_layer text) returns void language plpgsql as $$
declare
    l record;
    named text;
begin
    select layer.*, r.fields, r.archive, r.published_at into l
        from onemap.layer left join onemap.revision r on r.id = layer.current_revision where layer.id = of_layer;
    if l.current_revision is null and l.registered_table is null then
        return;
    end if;
    named := coalesce(nullif(left(l.title_zh, 200), ''), l.id);
    update onemap.catalogue_record set name = named, name_en = left(l.title_en, 200), abstract = l.abstract_zh,
            theme_id = l.theme_id, share_class = l.share_class, anonymous = l.anonymous, department_id = l.department_id,
            data_updated_at = greatest(l.published_at, data_updated_at), updated_at = now(), version = version + 1
        where layer_id = of_layer and (name, name_en, abstract, theme_id, share_class, anonymous, department_id, data_updated_at)
            is distinct from (named, left(l.title_en, 200), l.abstract_zh, l.theme_id, l.share_class, l.anonymous, l.department_id,
                greatest(l.published_at, data_updated_at));
    if found or exists (select from onemap.catalogue_record where layer_id = of_layer) then
        return;
    end if;
    insert into onemap.catalogue_record (code, department_id, layer_id, theme_id, kind, name, name_en, abstract, format, items,
            share_class, anonymous, share_mode, openness, published_on, data_updated_at)
        values (onemap.catalogue_code(l.department_id, l.theme_id), l.department_id, of_layer, l.theme_id, 'layer',
            named, left(l.title_en, 200), l.abstract_zh, case when l.archive is null then '空间数据' else '矢量瓦片' end,
            coalesce((select jsonb_agg(jsonb_build_object('name', f->>'name', 'title', f->>'title_zh', 'type', f->>'type'))
                from jsonb_array_elements(l.fields) f), '[]'),
            l.share_class, l.anonymous, '平台服务', case when l.anonymous then 'open' else 'closed' end,
            coalesce(l.published_at, now())::date, coalesce(l.published_at, now()))
        on conflict (layer_id) do nothing;
end $$;

-- To the hour: whoever writes in the record meanwhile is not told of another version with each feature that somebody changes.
create function onemap.catalogue_edited() returns trigger language plpgsql as $$
begin
    update onemap.catalogue_record r set data_updated_at = now(), version = r.version + 1
        from onemap.layer l
        where l.current_revision = new.id and r.layer_id = l.id and coalesce(r.data_updated_at < now() - interval '1 hour', true);
    return null;
end $$;
create trigger catalogue_edited after update of edits on onemap.revision
    for each row when (new.edits > old.edits) execute function onemap.catalogue_edited();
