import { describe, expect, it } from 'vitest';
import { isPublicAddress } from '../../../src/server/fetch/address.js';
import { urlPattern } from '../../../src/server/fetch/patterns.js';

describe('addresses of the public internet', () => {
  it.each([
    '8.8.8.8',
    '1.1.1.1',
    '172.15.0.1',
    '172.32.0.1',
    '100.128.0.1',
    '223.255.255.255',
    '2606:4700::1111',
    '2a00:1450:4001::8a',
    '::ffff:8.8.8.8',
    '64:ff9b::808:808',
    '2002:808:808::1',
  ])('are such as %s', (address) => expect(isPublicAddress(address)).toBe(true));

  it.each([
    ...['0.0.0.0', '0.1.2.3', '10.0.0.1', '100.64.0.1', '100.127.255.255', '127.0.0.1', '127.255.255.255'],
    ...[
      '169.254.169.254',
      '172.16.0.1',
      '172.31.255.255',
      '192.0.0.1',
      '192.0.2.1',
      '192.88.99.1',
      '192.168.1.1',
    ],
    ...[
      '198.18.0.1',
      '198.19.255.255',
      '198.51.100.1',
      '203.0.113.1',
      '224.0.0.1',
      '240.0.0.1',
      '255.255.255.255',
    ],
    ...[
      '::',
      '::1',
      '::127.0.0.1',
      '::ffff:127.0.0.1',
      '::ffff:7f00:1',
      '::ffff:0:127.0.0.1',
      '0:0:0:0:0:ffff:a00:1',
    ],
    ...['64:ff9b::7f00:1', '64:ff9b:1::1', '2002:7f00:1::1', '2002:a00:1::', '2001::1', '2001:0:7f00:1::'],
    ...[
      '2001:db8::1',
      '2001:10::1',
      '3fff::1',
      'fc00::1',
      'fd12::1',
      'fe80::1',
      'fe80::1%eth0',
      'fec0::1',
      'ff02::1',
    ],
    ...['2606:4700::5efe:7f00:1', '2606:4700::200:5efe:10.0.0.1', '100::1', '5f00::1', '4000::1'],
    ...['', 'localhost', 'example.com', '1.2.3', '::g'],
  ])('are not such as %s', (address) => expect(isPublicAddress(address)).toBe(false));
});

describe('patterns of URLs', () => {
  it.each([
    ['https://images.example.com/', 'https://images.example.com/a.jpg', true],
    ['images.example.com', 'http://IMAGES.example.com./a.jpg', true],
    ['https://images.example.com/', 'http://images.example.com/a.jpg', false],
    ['https://images.example.com/', 'https://images.example.com:8443/a.jpg', false],
    ['https://images.example.com:8443', 'https://images.example.com:8443/a.jpg', true],
    ['https://images.example.com/', 'https://images.example.com.evil.org/', false],
    ['https://images.example.com/', 'https://evil.org/images.example.com/', false],
    ['*.example.com', 'https://a.b.example.com/', true],
    ['*.example.com', 'https://example.com/', false],
    ['*.example.com', 'https://badexample.com/', false],
    ['example.com/data', 'https://example.com/data/x.jpg', true],
    ['example.com/data', 'https://example.com/data-secret/x.jpg', false],
    ['example.com/data', 'https://example.com/data/../secret/x.jpg', false],
    ['example.com/data/*', 'https://example.com/data/x.jpg', true],
    ['http://127.0.0.1:*', 'http://2130706433:99/', true],
    ['http://[::1]:80', 'http://[0:0:0:0:0:0:0:1]/', true],
    ['*', 'https://anything.example/', true],
  ])('%s and %s: %s', (pattern, url, matches) => {
    expect(urlPattern(pattern).matches(new URL(url))).toBe(matches);
  });

  it.each([
    '',
    'ftp://example.com',
    'https://user@example.com/',
    'https://a.*.com/',
    'https://',
    `${'a'.repeat(9999)}?`,
  ])('refuses %s as a pattern', (pattern) =>
    expect(() => urlPattern(pattern)).toThrow(expect.objectContaining({ code: 'E_USAGE' })),
  );
});
