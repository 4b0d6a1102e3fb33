import { createOpenAI } from "@ai-sdk/openai";
import { generateText, jsonSchema, Output, stepCountIs, streamText, tool } from "ai";
import { asked, errors, report } from "./shared.mjs";

const openai = createOpenAI({ baseURL: `${asked.url}/v1`, apiKey: "sk-test" });
const weather = {
  description: "Get the current weather of a city.",
  inputSchema: jsonSchema(asked.city),
};
const quiet = { maxRetries: 0, onError: () => {} };

await report(["ai", "@ai-sdk/openai"], {
  async text(model) {
    const answer = await generateText({ model: openai.chat(model), prompt: asked.colours, maxRetries: 0 });
    return { text: answer.text, finish: answer.finishReason };
  },
  async stream(model) {
    const answer = streamText({ model: openai.chat(model), prompt: asked.colours, ...quiet });
    return { text: await answer.text, finish: await answer.finishReason };
  },
  async tool(model) {
    const cities = [];
    const get_weather = tool({
      ...weather,
      execute: ({ city }) => {
        cities.push(city);
        return JSON.parse(asked.result);
      },
    });
    const answer = await generateText({
      model: openai.chat(model), prompt: asked.weather, tools: { get_weather }, stopWhen: stepCountIs(2), maxRetries: 0,
    });
    return { city: cities[0], text: answer.text };
  },
  async calls(model) {
    const answer = streamText({
      model: openai.chat(model), prompt: asked.both, tools: { get_weather: tool(weather) }, ...quiet,
    });
    return (await answer.toolCalls).map((call) => call.input.city);
  },
  async schema(model) {
    const output = Output.object({ schema: jsonSchema(asked.record) });
    const answer = await generateText({ model: openai.chat(model), prompt: asked.bridge, output, maxRetries: 0 });
    return answer.output.year;
  },
  async responses(model) {
    const answer = await generateText({ model: openai.responses(model), prompt: asked.colours, maxRetries: 0 });
    const stream = streamText({ model: openai.responses(model), prompt: asked.colours, ...quiet });
    return [answer.text, await stream.text];
  },
  errors: (model, provider) =>
    errors(
      provider,
      (prompt) => generateText({ model: openai.chat(model), prompt, maxRetries: 0 }),
      (error) => ({ status: error.statusCode, message: error.message, retry: error.responseHeaders?.["retry-after"] ?? null }),
    ),
});
