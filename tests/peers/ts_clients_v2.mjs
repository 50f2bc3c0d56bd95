// The TypeScript SDK 2.x, of the era that is asked for: legacy, or modern from 2026-07-28 on.
import { Client, StreamableHTTPClientTransport } from '@modelcontextprotocol/client';
import { answering, browse, drive } from './ts_clients_drive.mjs';

const [url, era, backend] = process.argv.slice(2);
const capabilities = { elicitation: {}, sampling: {}, roots: {} };
const mode = era === 'modern' ? { pin: '2026-07-28' } : 'legacy';
const client = new Client(
    { name: 'ts-v2', version: '1.0.0' },
    { capabilities, versionNegotiation: { mode } }
);
const seen = answering({
    handle: (method, answer) => client.setRequestHandler(method, answer),
    hear: (method, note) => client.setNotificationHandler(method, note)
});
await client.connect(new StreamableHTTPClientTransport(new URL(url)));
if (era === 'legacy') await client.setLoggingLevel('debug');
const meta = era === 'modern' ? { 'io.modelcontextprotocol/logLevel': 'debug' } : undefined;
const call = (tool, args, options) =>
    backend
        ? client.callTool(
              {
                  name: 'gateway_invoke',
                  arguments: { server: backend, tool, arguments: args },
                  _meta: meta
              },
              options
          )
        : client.callTool({ name: tool, arguments: args, _meta: meta }, options);
const told = await drive(client, call, seen);
const found = await browse(client, { name: 'test_prompt_with_arguments', uri: 'static-text' });
console.log(JSON.stringify({ ...told, ...found, asked: seen.asked }));
await client.close();
