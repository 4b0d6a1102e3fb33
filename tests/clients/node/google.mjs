import { GoogleGenAI } from "@google/genai";
import { asked, errors, report } from "./shared.mjs";

const client = new GoogleGenAI({ apiKey: "test", vertexai: false, httpOptions: { baseUrl: asked.url } });
const says = (text) => [{ role: "user", parts: [{ text }] }];
const tools = [
  {
    functionDeclarations: [
      { name: "get_weather", description: "Get the current weather of a city.", parametersJsonSchema: asked.city },
    ],
  },
];

await report(["@google/genai"], {
  async text(model) {
    const answer = await client.models.generateContent({ model, contents: says(asked.colours) });
    return { text: answer.text, finish: answer.candidates[0].finishReason };
  },
  async stream(model) {
    let text = "";
    let finish = null;
    for await (const chunk of await client.models.generateContentStream({ model, contents: says(asked.colours) })) {
      text += chunk.text ?? "";
      finish = chunk.candidates?.[0]?.finishReason ?? finish;
    }
    return { text, finish };
  },
  async tool(model) {
    const first = await client.models.generateContent({ model, contents: says(asked.weather), config: { tools } });
    const [call] = first.functionCalls;
    const part = { functionResponse: { id: call.id, name: call.name, response: JSON.parse(asked.result) } };
    const contents = [...says(asked.weather), first.candidates[0].content, { role: "user", parts: [part] }];
    const second = await client.models.generateContent({ model, contents, config: { tools } });
    return { city: call.args.city, text: second.text };
  },
  async calls(model) {
    const cities = [];
    const stream = await client.models.generateContentStream({ model, contents: says(asked.both), config: { tools } });
    for await (const chunk of stream) cities.push(...(chunk.functionCalls ?? []).map((call) => call.args.city));
    return cities;
  },
  async schema(model) {
    const config = { responseMimeType: "application/json", responseJsonSchema: asked.record };
    const answer = await client.models.generateContent({ model, contents: says(asked.bridge), config });
    return JSON.parse(answer.text).year;
  },
  errors: (model, provider) =>
    errors(provider, (text) => client.models.generateContent({ model, contents: says(text) }), (error) => ({
      status: error.status,
      message: error.message,
      retry: null, // this package shows no headers
    })),
});
