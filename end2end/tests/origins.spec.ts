import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Page } from '@playwright/test';
import { expect, test as base } from './support/test';

// A page of another origin, such as a booking widget's, that calls the API with a key of its own.

type Sent = { headers?: Record<string, string>; method?: string; body?: string };
type Read = { status: number; body: { code?: string; detail?: string; name?: string }; headers: Record<string, string> };

const test = base.extend<{ widget: string }>({
  widget: async ({}, use) => {
    const server: Server = createServer((_, answer) => {
      answer.setHeader('Content-Type', 'text/html');
      answer.end('<!doctype html><html lang="en"><link rel="icon" href="data:,"><title>Widget</title><h1>Book</h1></html>');
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    await use(`http://127.0.0.1:${(server.address() as AddressInfo).port}`);
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  },
});

/** Calls from the page's own script and answers what that script can read. */
async function call(page: Page, address: string, sent: Sent): Promise<Read> {
  return page.evaluate(
    async ({ address, sent }) => {
      const answer = await fetch(address, sent);
      return { status: answer.status, body: await answer.json(), headers: Object.fromEntries(answer.headers) };
    },
    { address, sent },
  );
}

function inDays(days: number): string {
  return new Date(Date.now() + days * 86_400_000).toISOString().slice(0, 10);
}

test('a page of an allowed origin uses the key', async ({ page, widget, tenant, program }) => {
  const { secret } = await tenant.key('Widget', '--scope', 'read', '--origin', widget, '--rate-limit', '9');
  await page.goto(widget);
  const asked = page.waitForResponse((response) => response.request().method() === 'GET' && response.url().endsWith('/key'));
  const { status, body, headers } = await call(page, `${program.url}/api/v1/key`, { headers: { 'X-API-Key': secret } });
  expect(status).toBe(200);
  expect(body.name).toBe('Widget');
  expect(headers['ratelimit-policy']).toBe('"default";q=9;w=60');
  expect(headers.ratelimit).toMatch(/^"default";r=8;t=\d+$/);
  expect(headers['x-request-id']).toBeTruthy();
  const shared = await (await asked).allHeaders();
  expect(shared['access-control-allow-origin'], 'this origin and no other').toBe(widget);
  expect(shared.vary!.toLowerCase()).toContain('origin');
});

test('the browser asks first, and is answered without a key', async ({ widget, program }) => {
  const answer = await fetch(`${program.url}/api/v1/reservations`, {
    method: 'OPTIONS',
    headers: {
      Origin: widget,
      'Access-Control-Request-Method': 'POST',
      'Access-Control-Request-Headers': 'authorization,content-type,idempotency-key',
    },
  });
  expect(answer.status).toBe(204);
  expect(answer.headers.get('access-control-allow-origin')).toBe(widget);
  expect(answer.headers.get('access-control-allow-credentials')).toBeNull();
  for (const header of ['authorization', 'x-api-key', 'user-api-key', 'content-type', 'idempotency-key']) {
    expect(answer.headers.get('access-control-allow-headers')).toContain(header);
  }
});

test('a page of another origin is refused, and can read why', async ({ page, widget, tenant, program, complaints }) => {
  const { secret } = await tenant.key('Widget', '--origin', 'https://book.example.com');
  await page.goto(widget);
  const asked = page.waitForResponse((response) => response.status() === 403);
  const { status, body } = await call(page, `${program.url}/api/v1/key`, { headers: { Authorization: `Bearer ${secret}` } });
  expect(status).toBe(403);
  expect(body).toMatchObject({ code: 'origin_not_allowed', status: 403, type: `${program.url}/problems/origin_not_allowed` });
  expect(body.detail).toBeTruthy();
  expect((await (await asked).allHeaders())['access-control-allow-origin']).toBe(widget);
  expect(complaints.splice(0)).toEqual([expect.stringContaining('403')]);
});

test('a page can read that its key is wrong', async ({ page, widget, program, complaints }) => {
  await page.goto(widget);
  const wrong = await call(page, `${program.url}/api/v1/key`, { headers: { 'user-api-key': 'lk_tk_wrong' } });
  expect(wrong.status).toBe(401);
  expect(wrong.body.code).toBe('invalid_key');
  expect(wrong.headers['www-authenticate']).toContain('error="invalid_token"');
  const none = await call(page, `${program.url}/api/v1/key`, {});
  expect(none.status).toBe(401);
  expect(none.body.code).toBe('missing_credential');
  expect(complaints.splice(0)).toEqual([expect.stringContaining('401'), expect.stringContaining('401')]);
});

test('a page can read for how long it has to wait', async ({ page, widget, tenant, program, complaints }) => {
  const { secret } = await tenant.key('Widget', '--origin', widget, '--rate-limit', '1');
  await page.goto(widget);
  const headers = { Authorization: `Bearer ${secret}` };
  expect((await call(page, `${program.url}/api/v1/key`, { headers })).status).toBe(200);
  const refused = await call(page, `${program.url}/api/v1/key`, { headers });
  expect(refused.status).toBe(429);
  expect(refused.body.code).toBe('rate_limited');
  expect(Number(refused.headers['retry-after'])).toBeGreaterThan(0);
  expect(refused.headers.ratelimit).toMatch(/r=0;t=\d+$/);
  expect(complaints.splice(0)).toEqual([expect.stringContaining('429')]);
});

test('a page makes a reservation', async ({ page, widget, tenant, program }) => {
  const property = tenant.properties[0]!.id;
  const words = ['service', 'create', '--tenant', tenant.slug, '--property', property, '--name', 'Room', '--units', '1'];
  const service = await program.command([...words, '--price', '9000', '--currency', 'EUR']);
  const { secret } = await tenant.key('Widget', '--scope', 'write', '--origin', widget);
  await page.goto(widget);
  const body = JSON.stringify({
    property_id: property,
    service_id: service.id,
    guest: { name: 'Robin Sample' },
    arrival: inDays(40),
    departure: inDays(42),
  });
  const headers = { Authorization: `Bearer ${secret}`, 'Content-Type': 'application/json', 'Idempotency-Key': '"one"' };
  const made = await call(page, `${program.url}/api/v1/reservations`, { method: 'POST', headers, body });
  expect(made.status).toBe(201);
  expect(made.headers.location).toMatch(/^\/api\/v1\/reservations\/res_/);
});
