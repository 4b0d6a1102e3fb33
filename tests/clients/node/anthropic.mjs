import Anthropic from "@anthropic-ai/sdk";
import { asked, errors, report } from "./shared.mjs";

const client = new Anthropic({ baseURL: asked.url, apiKey: "sk-ant-test", maxRetries: 0 });
const max_tokens = 1024;
const says = (content) => [{ role: "user", content }];
const tools = [{ name: "get_weather", description: "Get the current weather of a city.", input_schema: asked.city }];
const textOf = (message) => message.content.filter((block) => block.type === "text").map((block) => block.text).join("");
const callsOf = (message) => message.content.filter((block) => block.type === "tool_use");

await report(["@anthropic-ai/sdk"], {
  async text(model) {
    const answer = await client.messages.create({ model, max_tokens, messages: says(asked.colours) });
    return { text: textOf(answer), finish: answer.stop_reason };
  },
  async stream(model) {
    const answer = await client.messages.stream({ model, max_tokens, messages: says(asked.colours) }).finalMessage();
    return { text: textOf(answer), finish: answer.stop_reason };
  },
  async tool(model) {
    const first = await client.messages.create({ model, max_tokens, messages: says(asked.weather), tools });
    const [call] = callsOf(first);
    const result = { type: "tool_result", tool_use_id: call.id, content: asked.result };
    const messages = [
      ...says(asked.weather),
      { role: "assistant", content: first.content },
      { role: "user", content: [result] },
    ];
    const second = await client.messages.create({ model, max_tokens, messages, tools });
    return { city: call.input.city, text: textOf(second) };
  },
  async calls(model) {
    const answer = await client.messages.stream({ model, max_tokens, messages: says(asked.both), tools }).finalMessage();
    return callsOf(answer).map((call) => call.input.city);
  },
  async schema(model) {
    const output_config = { format: { type: "json_schema", schema: asked.record } };
    const answer = await client.messages.create({ model, max_tokens, messages: says(asked.bridge), output_config });
    return JSON.parse(textOf(answer)).year;
  },
  errors: (model, provider) =>
    errors(provider, (text) => client.messages.create({ model, max_tokens, messages: says(text) }), (error) => ({
      status: error.status,
      message: error.message,
      retry: error.headers?.get("retry-after") ?? null,
    })),
});
