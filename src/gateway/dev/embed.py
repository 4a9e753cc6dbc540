#!/usr/bin/env python3
"""Writes the files of the demo page as C: embed.py OUTPUT FILE..."""
import os
import sys

TYPES = {
    '.html': 'text/html; charset=utf-8',
    '.css': 'text/css; charset=utf-8',
    '.js': 'text/javascript; charset=utf-8',
}


def literal(content):
    """Decimal numbers, as a string literal may not be longer than C allows."""
    return ','.join(str(byte if byte < 128 else byte - 256) for byte in content)


def main(output, names):
    rows = []
    with open(output, 'w', encoding='ascii') as out:
        out.write('#include "dev_files.h"\n\n')
        for number, name in enumerate(names):
            with open(name, 'rb') as file:
                content = file.read()
            out.write(f'static const char file_{number}[] = {{{literal(content)}}};\n')
            base = os.path.basename(name)
            path = '/' if base == 'page.html' else '/' + base
            kind = TYPES[os.path.splitext(base)[1]]
            rows.append(f'\t{{ "{path}", "{kind}", file_{number}, sizeof(file_{number}) }},\n')
        out.write('\nconst struct dev_file dev_files[] = {\n')
        out.writelines(rows)
        out.write('\t{ NULL, NULL, NULL, 0 },\n};\n')


if __name__ == '__main__':
    main(sys.argv[1], sys.argv[2:])
