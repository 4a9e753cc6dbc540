/* Flask with Flask-Session. */
import { describe } from 'node:test';
import { file } from '../support/ending.js';
import { testSite, testVisitor } from '../support/presets.js';
import { startPython } from '../support/site.js';

const SECRET = 'flask-secret';

function testFlask(session, ...args) {
  testVisitor(testSite({
    session: { preset: 'flask', ...session },
    start: redis => startPython(file, 'flask_app.py', args, { REDIS_URL: redis.url, SECRET }),
  }));
}

describe('records in MessagePack', () => {
  testFlask({});
});

describe('records in JSON, and a signed cookie', () => {
  testFlask({ signature: 'itsdangerous', secrets: [SECRET] }, 'json', 'signed');
});
