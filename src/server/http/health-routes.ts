import type { FastifyInstance } from 'fastify';
import type { Metrics } from '../metrics.js';

/** Why a server should get no new requests, in a word; undefined while it should. */
export type Unready = () => Promise<string | undefined>;

/** `/livez`, `/readyz` and `/metrics`. */
export function healthRoutes(app: FastifyInstance, metrics: Metrics, unready: Unready): void {
  app.get('/livez', async (_request, reply) => reply.type('text/plain').send('ok\n'));
  app.get('/readyz', async (_request, reply) => {
    const reason = await unready();
    reply.header('cache-control', 'no-store').type('text/plain');
    return reply.code(reason === undefined ? 200 : 503).send(`${reason ?? 'ok'}\n`);
  });
  app.get('/metrics', async (_request, reply) => {
    const { type, body } = await metrics.text();
    return reply.type(type).send(body);
  });
}
