"""The table at the end: printed, and written as Markdown and JSON."""

import json
from dataclasses import asdict, dataclass, field


@dataclass
class Row:
    work: str
    ours: str
    peer: str = ''
    ratio: str = ''
    aim: str = ''
    # What the texts were made of, for those who calculate further.
    figures: dict = field(default_factory=dict)


class Report:
    def __init__(self, conditions):
        self.conditions = conditions
        self.rows = []

    def add(self, work, ours, peer='', ratio='', aim='', **figures):
        row = Row(work, ours, peer, ratio, aim, figures)
        self.rows.append(row)
        beside = ' · '.join(part for part in (peer and f'peer {peer}', ratio, aim and f'aim {aim}') if part)
        print(f'  {work:<52} {ours:>22}   {beside}', flush=True)

    def markdown(self):
        lines = ['# Figures', '']
        lines += [f'- {name.replace("_", " ")}: {value}' for name, value in self.conditions.items()]
        lines += ['', 'CPU is user and system time of the server and its PostgreSQL together, per request.', '',
                  '| work | onemap | peer | ratio | aim |', '| --- | --- | --- | --- | --- |']
        lines += [f'| {r.work} | {r.ours} | {r.peer} | {r.ratio} | {r.aim} |' for r in self.rows]
        return '\n'.join(lines) + '\n'

    def write(self, markdown, document):
        with open(markdown, 'w') as file:
            file.write(self.markdown())
        with open(document, 'w') as file:
            json.dump({'conditions': self.conditions, 'rows': [asdict(r) for r in self.rows]}, file, indent=1,
                      ensure_ascii=False)
