// Drives the practice Planning Center through somebody else's client and prints what it saw, as JSON.
// Arguments: the folder that holds node_modules, the address of the simulator, the application id, the secret.
import { pathToFileURL } from "node:url";

const [folder, origin, clientId, clientSecret] = process.argv.slice(2);
const { PlanningCenter } = await import(pathToFileURL(`${folder}/node_modules/planning-center-api/dist/index.js`));

function client(secret) {
  const made = new PlanningCenter({ auth: { type: "basic", clientId, clientSecret: secret }, rateLimitDelay: 0, maxRetries: 1 });
  made.baseUrl = origin;
  return made;
}

async function failure(call) {
  try {
    await call();
    return "no failure";
  } catch (error) {
    return error.message;
  }
}

const one = client(clientSecret);
const people = await one.people.list({ per_page: 100 });
const body = (attributes) => ({ data: { type: "Person", attributes } });
const made = await one.request("POST", "/people/v2/people", body({ first_name: "Ann", last_name: "Lee" }));
const path = `/people/v2/people/${made.data.id}`;
await one.request("POST", `${path}/emails`, { data: { type: "Email", attributes: { address: "ann.lee@gmail.com", location: "Home" } } });
const read = await one.request("GET", `${path}?include=emails`);
const changed = await one.request("PATCH", path, body({ nickname: "Annie" }));
const refused = await failure(() => one.request("POST", "/people/v2/people", body({ first_name: "Ann", shoe_size: 9 })));
await one.request("DELETE", path);

console.log(
  JSON.stringify({
    people: new Set(people.data.map((person) => person.id)).size,
    created: made.data.attributes.name,
    included: (read.included ?? []).map((row) => row.attributes.address),
    nickname: changed.data.attributes.nickname,
    refused,
    gone: await failure(() => one.request("GET", path)),
    wrong_secret: await failure(() => client("wrong").request("GET", "/people/v2/me")),
  }),
);
