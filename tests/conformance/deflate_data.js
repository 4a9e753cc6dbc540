/* Data to compress, of the kinds of Autobahn's files, generated, and the same in every run. Text is cut between
 * characters, so it is a string; the rest is bytes. */
import { filled } from './bytes.js';

const SIZE = 256 * 1024;
const WORDS = ('und der die das nicht ein ich du er sie es mit auf von zu Geist Welt Teufel Wein Nacht Straße über Mädchen größer '
  + 'Freund Haus Wort Kraft Tür schön Wald fürchten wissen').split(' ');

const random = filled(SIZE, 7);
let at = 0;
const next = below => random[at++ % SIZE] % below;

function grown(more) {
  let all = '';
  while (all.length < SIZE) all += more();
  return all;
}

const sentence = () => `${Array.from({ length: 4 + next(9) }, () => WORDS[next(WORDS.length)]).join(' ')}${next(6) ? '.\n' : '!\n\n'}`;
const record = i => `${JSON.stringify({ id: i, name: `${WORDS[next(WORDS.length)]}-${next(256)}`, tags: [next(9), next(9)], on: next(2) === 1,
  price: next(256) / 10, text: sentence() }, null, 2)},\n`;
const element = i => `<tr class="row${i % 2}"><td id="c${i}">${WORDS[next(WORDS.length)]}</td><td>${sentence().trim()}</td></tr>\n`;

let i = 0;
const json = grown(() => record(i++));
const html = grown(() => element(i++));
const prose = Buffer.from(grown(sentence));

/* 512 grey values a line: a shade, and noise on it. */
const picture = Buffer.from({ length: SIZE }, (_, place) => ((place % 512) / 4 + Math.floor(place / 512) / 4 + next(8)) & 255);
/* Parts that compress and parts that have been compressed. */
const document = Buffer.concat([prose.subarray(0, 20000), filled(60000, 3), Buffer.from(html.slice(0, 40000)), filled(SIZE - 120000, 5)]);

export const DATA = { json, html, prose, picture, document };
