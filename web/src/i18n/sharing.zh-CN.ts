/** Words of sharing that several screens use. */
const sharing = {
  fields: '字段',
  allFields: '全部字段',
  extent: '区域',
  everywhere: '全部区域',
  inArea: '划定的区域，约 {size} 平方公里',
  inDivisions: '行政区划 {codes}',
  partOfDivisions: '行政区划 {codes} 中的一部分，约 {size} 平方公里',
  showArea: '在地图上查看区域',
  rows: '记录',
  allRows: '全部记录',
  rights: '使用方式',
  right: { view: '查看', query: '查询', print: '打印', export: '导出', write: '编辑' },
  rightSays: {
    view: '在地图上显示，含图例、样式',
    query: '点查、检索、统计、接口逐条读取',
    print: '打印成图',
    export: '下载文件，带走数据',
    write: '通过接口修改数据',
  },
  period: '期限',
  from: '开始日期',
  until: '结束日期',
  term: '{from} 至 {until}',
  noTerm: '不限期',
  noEnd: '长期',
  atOnce: '批准之日',
  purpose: '用途',
  legalBasis: '依据',
  caseNumber: '案号或协议号',
  asked: '申请',
  given: '批准',
};

export default sharing;

/** Words of the map on which an area is drawn. */
export const area = {
  polygon: '画多边形',
  rectangle: '画矩形',
  view: '用当前视野',
  clear: '清除',
  size: '约 {size} 平方公里',
  none: '还没有划定区域',
  hintPolygon: '依次点击各个角，双击结束；Esc 取消',
  hintRectangle: '点击一角，再点击对角',
};
