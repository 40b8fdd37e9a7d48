import { BlockList, isIP } from 'node:net';
import { expected, ImgtoolError } from '../../errors.js';

/** Whether what an address says of its clients (`X-Forwarded-For`, `-Proto`, `-Host`) is believed. */
export type Trust = (address: string) => boolean;

/** Reads the addresses of proxies: `loopback`, `linklocal`, `uniquelocal`, addresses and ranges, separated by commas. Throws E_USAGE. */
export function trustedProxies(text: string): Trust {
  const list = new BlockList();
  for (const item of text.split(',').map((part) => part.trim()))
    for (const range of RANGES[item] ?? [item]) add(list, range, item);
  return (address) => {
    const version = isIP(address);
    return version !== 0 && list.check(address, version === 4 ? 'ipv4' : 'ipv6');
  };
}

const RANGES: Readonly<Record<string, readonly string[]>> = {
  loopback: ['127.0.0.0/8', '::1'],
  linklocal: ['169.254.0.0/16', 'fe80::/10'],
  uniquelocal: ['10.0.0.0/8', '172.16.0.0/12', '192.168.0.0/16', 'fc00::/7'],
};

function add(list: BlockList, range: string, item: string): void {
  const [address = '', bits, ...rest] = range.split('/');
  const version = isIP(address);
  const most = version === 4 ? 32 : 128;
  const length = bits === undefined ? most : /^\d{1,3}$/.test(bits) ? Number(bits) : Number.NaN;
  // a length of 0 would believe everyone
  if (version === 0 || rest.length > 0 || !(length >= 1 && length <= most))
    throw new ImgtoolError(
      'E_USAGE',
      expected(
        `${Object.keys(RANGES).join(', ')}, an address, or a range such as 10.0.0.0/8`,
        item || 'nothing',
      ),
      { field: 'trust-proxy' },
    );
  list.addSubnet(address, length, version === 4 ? 'ipv4' : 'ipv6');
}
