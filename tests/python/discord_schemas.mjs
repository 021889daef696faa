// Writes the JSON schemas with which the Discord bridge checks what a bot sends, made from the schemas of Discord's own description
// of its API.
//
// usage: node discord_schemas.mjs PACKAGES FOLDER
//
// PACKAGES is a node_modules folder with `discord-api-spec` and `zod`; FOLDER gets one file for each kind of body. Run once, by
// scripts/test-discord-sdk.
import { mkdirSync, writeFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { pathToFileURL } from "node:url";

const [packages, folder] = process.argv.slice(2).map((argument) => resolve(argument));
const load = (path) => import(pathToFileURL(join(packages, path)));
const z = await load("zod/index.js");
const spec = await load("discord-api-spec/build/discord-api-spec.zod.js");

// The bodies of the routes in discord_double/checks.py, by Discord's own names.
const bodies = {
  message_create: spec.MessageCreateRequestSchema,
  message_edit: spec.MessageEditRequestPartialSchema,
  webhook_execute: spec.IncomingWebhookRequestPartialSchema,
  webhook_edit: spec.IncomingWebhookUpdateRequestPartialSchema,
  commands: z.array(spec.ApplicationCommandUpdateRequestSchema),
  callback_pong: spec.PongInteractionCallbackRequestSchema,
  callback_message: spec.CreateMessageInteractionCallbackRequestSchema,
  callback_update: spec.UpdateMessageInteractionCallbackRequestSchema,
  callback_autocomplete: spec.ApplicationCommandAutocompleteCallbackRequestSchema,
  callback_modal: spec.ModalInteractionCallbackRequestSchema,
  create_dm: spec.CreatePrivateChannelRequestSchema,
  thread_of_message: spec.CreateTextThreadWithMessageRequestSchema,
  thread: spec.CreateTextThreadWithoutMessageRequestSchema,
  forum_post: spec.CreateForumThreadRequestSchema,
  thread_edit: spec.UpdateThreadRequestPartialSchema,
};

mkdirSync(folder, { recursive: true });
for (const [name, schema] of Object.entries(bodies)) {
  const override = ({ zodSchema, jsonSchema }) => adapt(name, zodSchema, jsonSchema);
  const converted = z.toJSONSchema(schema, { io: "input", reused: "ref", unrepresentable: "any", override });
  writeFileSync(join(folder, `${name}.json`), JSON.stringify(converted));
}

// Nothing in JSON is `undefined`: as a branch of a union it would let everything pass. And Discord takes more than its description
// says: ids may be numbers, times may have an offset, permissions are a string of digits in its reference and a number here.
function adapt(name, zod, schema) {
  if (zod._zod.def.type === "undefined") schema.not = {};
  if (schema.pattern === "^(0|[1-9][0-9]*)$") schema.type = ["string", "integer"];
  if (schema.format === "date-time") delete schema.pattern;
  const permissions = schema.properties?.default_member_permissions;
  if (name === "commands" && permissions) schema.properties.default_member_permissions = { anyOf: [permissions, { type: "string" }] };
}
