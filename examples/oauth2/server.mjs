// Notes behind OAuth 2: node server.mjs PORT. oauth2-mock-server gives the tokens, signed for real;
// the notes want one with their scope that is neither expired (for a minute) nor forgotten. Nothing is stored.
import { createLocalJWKSet, jwtVerify } from 'jose';
import { OAuth2Server } from 'oauth2-mock-server';

const [port = '8003'] = process.argv.slice(2);
const SECRETS = { robot: process.env.NOTES_CLIENT_SECRET ?? 'robot-secret' };
const PEOPLE = { ann: process.env.NOTES_PASSWORD ?? 'ann-password' };
const SECONDS = Number(process.env.NOTES_SECONDS ?? 3600);
const ROTATES = process.env.NOTES_ROTATES === '1'; // a refresh token is good once

const server = new OAuth2Server();
await server.issuer.keys.generate('RS256');
const keys = createLocalJWKSet({ keys: server.issuer.keys.toJSON() });
const refreshing = new Set([process.env.NOTES_REFRESH_TOKEN ?? 'refresh-0']);
const given = { tokens: 0, refused: 0 };
const notes = new Map();
let series = 0; // tokens of an earlier one are forgotten
let last = 0;

// Id and secret: by HTTP Basic, each of them form-encoded (RFC 6749 §2.3.1), or in the form.
const client = ({ headers, body }) => {
    const [kind, shown] = (headers.authorization ?? '').split(' ');
    if (kind !== 'Basic') return [body.client_id, body.client_secret];
    const pair = Buffer.from(shown, 'base64').toString().replaceAll('+', ' ').split(':');
    return pair.map(decodeURIComponent);
};

const refused = request => {
    const [id, secret] = client(request);
    const { grant_type: grant, username, password, refresh_token: token } = request.body;
    if (!id || SECRETS[id] !== secret) return 'invalid_client';
    if (grant === 'password' && PEOPLE[username] !== password) return 'invalid_grant';
    if (grant === 'refresh_token' && !refreshing.has(token)) return 'invalid_grant';
    if (grant === 'refresh_token' && ROTATES) refreshing.delete(token);
    return null;
};

server.service.on('beforeTokenSigning', (token, request) => {
    token.payload.series = series;
    token.payload.client = client(request)[0];
    token.payload.exp = Math.floor(Date.now() / 1000) + SECONDS;
});

server.service.on('beforeResponse', (answer, request) => {
    const error = refused(request);
    if (error) {
        given.refused += 1;
        answer.statusCode = error === 'invalid_client' ? 401 : 400;
        answer.body = { error, error_description: `no token: ${error}` };
        return;
    }
    given.tokens += 1;
    answer.body.expires_in = SECONDS;
    if (answer.body.refresh_token) refreshing.add(answer.body.refresh_token);
});

const say = (response, status, body, headers = {}) => {
    response.writeHead(status, { 'content-type': 'application/json', ...headers });
    response.end(body === undefined ? '' : JSON.stringify(body));
};

// The handler, behind a token that has this scope.
const guarded = (scope, handler) => async (request, response) => {
    const [, shown = ''] = (request.headers.authorization ?? '').split(' ');
    const why = async () => {
        const { payload } = await jwtVerify(shown, keys, { issuer: server.issuer.url, clockTolerance: 60 });
        if (payload.series !== series) throw new Error('forgotten');
        return payload;
    };
    const claims = await why().catch(() => null);
    if (!claims) {
        const header = { 'www-authenticate': 'Bearer error="invalid_token"' };
        return say(response, 401, { detail: 'the token is not good' }, header);
    }
    if (!(claims.scope ?? '').split(' ').includes(scope)) {
        return say(response, 403, { detail: `the token lacks ${scope}` });
    }
    return handler(request, response, claims);
};

const route = (method, path, scope, handler) =>
    server.service.addRoute(method, path, guarded(scope, handler));

route('GET', '/api/me', 'notes.read', (_, response, { sub, client: of, scope }) =>
    say(response, 200, { sub, client: of, scope }));
route('GET', '/api/notes', 'notes.read', ({ query }, response) => {
    const found = [...notes.values()].filter(note => note.text.includes(query.text ?? ''));
    say(response, 200, { notes: found });
});
route('POST', '/api/notes', 'notes.write', ({ body }, response, { sub, client: of }) => {
    const note = { id: (last += 1), text: body.text, by: sub ?? of };
    notes.set(note.id, note);
    say(response, 201, note);
});
route('DELETE', '/api/notes', 'notes.write', ({ query }, response) =>
    notes.delete(Number(query.id)) ? say(response, 204) : say(response, 404, { detail: 'no such note' }));
server.service.addRoute('POST', '/forget', (_, response) => say(response, 200, { series: (series += 1) }));
server.service.addRoute('GET', '/given', (_, response) => say(response, 200, given));

await server.start(Number(port), '127.0.0.1');
console.log(`notes at ${server.issuer.url}/api, tokens at ${server.issuer.url}/token`);
