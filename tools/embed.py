#!/usr/bin/env python3
"""Embeds static files in the program: embed.py OUTPUT TABLE FILE...

Writes the C source OUTPUT, which defines TABLE, an array of struct embedded_file
(sluice/base/embedded.h) with a row for each FILE. page.html is served at "/".
"""
import hashlib
import os
import sys

TYPES = {
    '.html': 'text/html; charset=utf-8',
    '.css': 'text/css; charset=utf-8',
    '.js': 'text/javascript; charset=utf-8',
}


def literal(content):
    """Decimal numbers: C limits the length of a string literal."""
    return ','.join(str(byte if byte < 128 else byte - 256) for byte in content)


def main(output, table, names):
    rows = []
    with open(output, 'w', encoding='ascii') as out:
        out.write('#include "sluice/base/embedded.h"\n\n')
        for number, name in enumerate(names):
            with open(name, 'rb') as file:
                content = file.read()
            out.write(f'static const char file_{number}[] = {{{literal(content)}}};\n')
            base = os.path.basename(name)
            path = '/' if base == 'page.html' else '/' + base
            kind = TYPES[os.path.splitext(base)[1]]
            etag = hashlib.sha256(content).hexdigest()[:32]
            rows.append(f'\t{{ "{path}", "{kind}", "\\"{etag}\\"", '
                        f'file_{number}, sizeof(file_{number}) }},\n')
        out.write(f'\nconst struct embedded_file {table}[] = {{\n')
        out.writelines(rows)
        out.write('\t{ NULL, NULL, NULL, NULL, 0 },\n};\n')


if __name__ == '__main__':
    main(sys.argv[1], sys.argv[2], sys.argv[3:])
