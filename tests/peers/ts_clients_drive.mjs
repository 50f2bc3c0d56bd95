// What a TypeScript client does at one URL, whatever release of the SDK it is: everything once.
// `handle(method, answer)` and `hear(method, note)` register; `client` has what both releases have.

export function answering({ handle, hear }) {
    const seen = { asked: [], logged: [], updated: 0 };
    handle('elicitation/create', request => {
        seen.asked.push('elicitation/create');
        const fields = Object.keys(request.params.requestedSchema.properties);
        return { action: 'accept', content: Object.fromEntries(fields.map(name => [name, 'Ada'])) };
    });
    handle('sampling/createMessage', request => {
        seen.asked.push('sampling/createMessage');
        const said = request.params.messages[0].content;
        const text = (Array.isArray(said) ? said[0] : said).text;
        return { role: 'assistant', model: 'none', content: { type: 'text', text: `re: ${text}` } };
    });
    handle('roots/list', () => {
        seen.asked.push('roots/list');
        return { roots: [{ uri: 'file:///srv', name: 'srv' }] };
    });
    hear('notifications/message', note => seen.logged.push(note.params.data));
    hear('notifications/resources/updated', () => (seen.updated += 1));
    return seen;
}

const first = result => result.content[0].text;

// `call(name, args, options)`: directly, or through gateway_invoke.
export async function drive(client, call, seen) {
    const progress = [];
    const steps = {
        tools: async () => (await client.listTools()).tools.map(tool => tool.name),
        text: async () => first(await call('test_simple_text', {})),
        failed: async () => (await call('test_error_handling', {})).isError === true,
        progress: async () => {
            await call('test_tool_with_progress', {}, { onprogress: it => progress.push(it.progress) });
            return progress;
        },
        elicited: async () => first(await call('test_elicitation', { message: 'Who?' })),
        sampled: async () => first(await call('test_sampling', { prompt: 'Hello' })),
        roots: async () => first(await call('test_input_required_result_list_roots', {})),
        several: async () => first(await call('test_input_required_result_multiple_inputs', {})),
        logged: async () => {
            await call('test_tool_with_logging', {});
            return seen.logged;
        }
    };
    return await all(steps);
}

// What is there beside tools; `name` and `uri` say how they are called where we are.
export async function browse(client, { name, uri }) {
    const prompts = (await client.listPrompts()).prompts.map(prompt => prompt.name);
    const resources = (await client.listResources()).resources.map(resource => resource.uri);
    const templates = (await client.listResourceTemplates()).resourceTemplates;
    const prompt = prompts.find(it => it.endsWith(name));
    const steps = {
        prompts: async () => prompts,
        resources: async () => resources,
        templates: async () => templates.map(template => template.uriTemplate),
        prompt: async () => {
            const given = { arg1: 'one', arg2: 'two' };
            const got = await client.getPrompt({ name: prompt, arguments: given });
            return got.messages[0].content.text;
        },
        read: async () => {
            const found = resources.find(it => it.endsWith(uri));
            return (await client.readResource({ uri: found })).contents[0].text;
        },
        completed: async () => {
            const ref = { type: 'ref/prompt', name: prompt };
            const argument = { name: 'arg1', value: 'par' };
            return (await client.complete({ ref, argument })).completion.values;
        }
    };
    return await all(steps);
}

async function all(steps) {
    const told = {};
    for (const [name, step] of Object.entries(steps)) {
        try {
            told[name] = await step();
        } catch (error) {
            told[name] = { error: `${error.code ?? error.name}: ${error.message}` };
        }
    }
    return told;
}
