import OpenAI from "openai";
import { asked, errors, report } from "./shared.mjs";

const client = new OpenAI({ baseURL: `${asked.url}/v1`, apiKey: "sk-test", maxRetries: 0 });
const chat = client.chat.completions;
const says = (content) => [{ role: "user", content }];
const tools = [
  { type: "function", function: { name: "get_weather", description: "Get the current weather of a city.", parameters: asked.city } },
];

await report(["openai"], {
  async text(model) {
    const answer = await chat.create({ model, messages: says(asked.colours) });
    return { text: answer.choices[0].message.content, finish: answer.choices[0].finish_reason };
  },
  async stream(model) {
    let text = "";
    let finish = null;
    for await (const chunk of await chat.create({ model, messages: says(asked.colours), stream: true })) {
      text += chunk.choices[0].delta.content ?? "";
      finish = chunk.choices[0].finish_reason ?? finish;
    }
    return { text, finish };
  },
  async tool(model) {
    const first = await chat.create({ model, messages: says(asked.weather), tools });
    const message = first.choices[0].message;
    const call = message.tool_calls[0];
    const result = { role: "tool", tool_call_id: call.id, content: asked.result };
    const second = await chat.create({ model, messages: [...says(asked.weather), message, result], tools });
    return { city: JSON.parse(call.function.arguments).city, text: second.choices[0].message.content };
  },
  async calls(model) {
    const answer = await chat.stream({ model, messages: says(asked.both), tools }).finalChatCompletion();
    return answer.choices[0].message.tool_calls.map((call) => JSON.parse(call.function.arguments).city);
  },
  async schema(model) {
    const response_format = { type: "json_schema", json_schema: { name: "bridge", schema: asked.record, strict: true } };
    const answer = await chat.parse({ model, messages: says(asked.bridge), response_format });
    return answer.choices[0].message.parsed.year;
  },
  async responses(model) {
    const answer = await client.responses.create({ model, input: asked.colours });
    const stream = await client.responses.stream({ model, input: asked.colours }).finalResponse();
    return [answer.output_text, stream.output_text];
  },
  errors: (model, provider) =>
    errors(provider, (text) => chat.create({ model, messages: says(text) }), (error) => ({
      status: error.status,
      message: error.message,
      retry: error.headers?.get("retry-after") ?? null,
    })),
});
