const figures = {
  histogram: 'Histogram: how often each size occurs',
  break: 'Break {n}; left and right arrows move it',
  none: 'No data',
  withheld: 'Too few to be shown: it would tell about single people',
  withheldShort: 'Not shown',
  search: 'Search the table',
  allBars: 'Show all {n}',
  moreRows: 'Show 1000 more rows ({n} left)',
  nothing: 'No rows.',
  time: 'Time',
  play: 'Play',
  pause: 'Pause',
  export: 'Export',
  print: { do: 'Print', scale: 'About 1:{n} (A4 landscape)', source: 'Source: {source}', purpose: 'Granted for: {purposes}', date: 'Made on {date}' },
};

export default figures;
