// Responses in front of `setu start --replay bundled`: the very requests that were recorded, by two packages.
import { createOpenAI } from "@ai-sdk/openai";
import { generateText, streamText } from "ai";
import OpenAI from "openai";
import { asked, failure } from "./shared.mjs";

const client = new OpenAI({ baseURL: `${asked.url}/v1`, apiKey: "sk-test", maxRetries: 0 });
const model = asked.model;
const tools = [
  { type: "function", name: "get_weather", description: "Get the current weather of a city.", parameters: asked.city, strict: true },
];

async function ofOpenai() {
  const whole = await client.responses.create({ model, input: asked.colours });
  const streamed = await client.responses.stream({ model, input: asked.colours }).finalResponse();
  const first = await client.responses.create({ model, input: asked.weather, tools });
  const { type, id, status, call_id, name, arguments: given } = first.output[0];
  const result = { type: "function_call_output", call_id, output: asked.result };
  const said = { id, type, status, arguments: given, call_id, name };
  const input = [{ role: "user", content: asked.weather }, said, result];
  const second = await client.responses.create({ model, input, tools });
  const limited = await failure(
    () => client.responses.create({ model, input: "Trigger error 429." }),
    (error) => ({ status: error.status, retry: error.headers?.get("retry-after") ?? null }),
  );
  return { texts: [whole.output_text, streamed.output_text], city: JSON.parse(given).city, result: second.output_text, limited };
}

async function ofAi() {
  const openai = createOpenAI({ baseURL: `${asked.url}/v1`, apiKey: "sk-test" });
  const whole = await generateText({ model: openai.responses(model), prompt: asked.colours, maxRetries: 0 });
  const streamed = streamText({ model: openai.responses(model), prompt: asked.colours, maxRetries: 0, onError: () => {} });
  return { texts: [whole.text, await streamed.text], finish: [whole.finishReason, await streamed.finishReason] };
}

process.stdout.write(JSON.stringify({ openai: await ofOpenai(), ai: await ofAi() }));
