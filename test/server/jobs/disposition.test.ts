import { describe, expect, it } from 'vitest';
import { disposition } from '../../../src/server/http/disposition.js';
import { safeName } from '../../../src/server/jobs/names.js';

describe('a file name in a header', () => {
  it.each([
    ['a.jpg', 'filename="a.jpg"; filename*=UTF-8\'\'a.jpg'],
    ['hé "x".jpg', 'filename="h_ _x_.jpg"; filename*=UTF-8\'\'h%C3%A9%20%22x%22.jpg'],
    ["it's (1)*!.png", "filename=\"it's (1)*!.png\"; filename*=UTF-8''it%27s%20%281%29%2A%21.png"],
    ['50%25.png', 'filename="50_25.png"; filename*=UTF-8\'\'50%2525.png'],
    ['a\r\nSet-Cookie: b', 'filename="a__Set-Cookie: b"; filename*=UTF-8\'\'a%0D%0ASet-Cookie%3A%20b'],
    ['\ud800.jpg', 'filename="_.jpg"; filename*=UTF-8\'\'%EF%BF%BD.jpg'],
    ['写真.jpg', 'filename="__.jpg"; filename*=UTF-8\'\'%E5%86%99%E7%9C%9F.jpg'],
  ])('%j', (name, rest) => {
    expect(disposition('inline', name)).toBe(`inline; ${rest}`);
  });

  it.each([
    ['photo.jpg', 'photo.jpg'],
    ['C:\\holiday\\photo.jpg', 'photo.jpg'],
    ['../../etc/passwd', 'passwd'],
    ['a\r\n\0\u001b[31mb.jpg', 'a[31mb.jpg'],
    ['photo\u202egpj.exe', 'photogpj.exe'],
    ['写真.jpg', '写真.jpg'],
    [`${'é'.repeat(300)}.jpg`, 'é'.repeat(200)],
    ['..', undefined],
    ['', undefined],
    ['folder/', undefined],
  ])('%j is kept as %j', (text, name) => {
    expect(safeName(text)).toBe(name);
  });
});
