// The TypeScript SDK 1.x at the URL of a backend, or at /mcp with the backend's name behind it.
import { Client } from '@modelcontextprotocol/sdk/client/index.js';
import { StreamableHTTPClientTransport } from '@modelcontextprotocol/sdk/client/streamableHttp.js';
import * as types from '@modelcontextprotocol/sdk/types.js';
import { answering, browse, drive } from './ts_clients_drive.mjs';

const SCHEMAS = {
    'elicitation/create': types.ElicitRequestSchema,
    'sampling/createMessage': types.CreateMessageRequestSchema,
    'roots/list': types.ListRootsRequestSchema,
    'notifications/message': types.LoggingMessageNotificationSchema,
    'notifications/resources/updated': types.ResourceUpdatedNotificationSchema
};

const [url, backend] = process.argv.slice(2);
const capabilities = { elicitation: {}, sampling: {}, roots: {} };
const client = new Client({ name: 'ts-v1', version: '1.0.0' }, { capabilities });
const seen = answering({
    handle: (method, answer) => client.setRequestHandler(SCHEMAS[method], answer),
    hear: (method, note) => client.setNotificationHandler(SCHEMAS[method], note)
});
await client.connect(new StreamableHTTPClientTransport(new URL(url)));
await client.setLoggingLevel('debug');
const call = (tool, args, options) =>
    backend
        ? client.callTool(
              { name: 'gateway_invoke', arguments: { server: backend, tool, arguments: args } },
              undefined,
              options
          )
        : client.callTool({ name: tool, arguments: args }, undefined, options);
const told = await drive(client, call, seen);
const found = await browse(client, { name: 'test_prompt_with_arguments', uri: 'static-text' });
console.log(JSON.stringify({ ...told, ...found, asked: seen.asked }));
await client.close();
