import { connect, createServer } from 'node:net';

/**
 * A port that stands for a server further away: what goes through it arrives half a round trip later, either way.
 * @param {number} port of the server
 * @param {number} roundTripMs
 */
export async function distant(port, roundTripMs) {
  const sockets = new Set();
  let bytes = 0;
  const counted = (chunk) => {
    bytes += chunk.length;
  };
  const server = createServer((near) => {
    const far = connect(port, '127.0.0.1');
    for (const socket of [near, far]) {
      sockets.add(socket);
      socket.setNoDelay(true);
      socket.once('close', () => sockets.delete(socket));
      socket.on('error', () => undefined);
      socket.on('data', counted);
    }
    delayed(near, far, roundTripMs / 2);
    delayed(far, near, roundTripMs / 2);
  });
  await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    port: server.address().port,
    /** Carried so far, both ways together. */
    bytes: () => bytes,
    close() {
      server.close();
      for (const socket of sockets) socket.destroy();
    },
  };
}

/** Order is kept: timers of one length fire in the order they were set. */
function delayed(from, to, ms) {
  const later = (work) => (ms === 0 ? work() : setTimeout(work, ms));
  from.on('data', (chunk) => later(() => to.destroyed || to.write(chunk)));
  from.on('end', () => later(() => to.end()));
  from.on('close', () => later(() => to.destroy()));
}
