const figures = {
  histogram: '直方图：各数值段的个数',
  break: '第 {n} 个分界，左右方向键移动',
  none: '无数据',
  withheld: '数量太少，为保护个人信息不显示',
  withheldShort: '不予显示',
  search: '在表中查找',
  allBars: '显示全部 {n} 项',
  moreRows: '再显示 1000 行（还有 {n} 行）',
  nothing: '没有符合的行。',
  time: '时间',
  play: '播放',
  pause: '暂停',
  export: '导出',
  print: { do: '打印', scale: '约 1:{n}（A4 横向）', source: '数据来源：{source}', purpose: '授权用途：{purposes}', date: '制图日期：{date}' },
};

export default figures;
