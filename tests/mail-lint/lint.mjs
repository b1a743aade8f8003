/* Check the HTML of mails: html-validate finds no error, caniemail nothing beyond baseline.json.

   node lint.mjs FILE.html ...        exit status 1 and a list if something is wrong
   node lint.mjs --baseline FILE.html write baseline.json from this file */

import { readFileSync, writeFileSync } from "node:fs";
import { basename } from "node:path";
import { HtmlValidate } from "html-validate";
import { caniemail } from "caniemail";

const baselineFile = new URL("baseline.json", import.meta.url);

const rules = {
  extends: ["html-validate:recommended"],
  rules: {
    // Mail clients drop <style> or support it poorly: premailer inlines the styles on purpose.
    "no-inline-style": "off",
    // Outlook on Windows reads width, align and cellpadding, but not the CSS for them.
    "no-deprecated-attr": "off",
  },
};

/* Return what mail clients do not support, {feature: [client, …]}, sorted. */
function unsupported(html) {
  const { issues } = caniemail({ clients: ["*"], html });
  const clients = {};
  for (const [client, found] of issues.errors) {
    for (const { title } of found) (clients[title] ??= new Set()).add(client);
  }
  return Object.fromEntries(
    Object.keys(clients).sort().map((title) => [title, [...clients[title]].sort()]),
  );
}

async function invalid(html) {
  const report = await new HtmlValidate(rules).validateString(html);
  return report.results.flatMap(({ messages }) =>
    messages.map((m) => `html-validate ${m.ruleId}, line ${m.line}: ${m.message}`),
  );
}

function beyondBaseline(html) {
  const known = JSON.parse(readFileSync(baselineFile, "utf8"));
  return Object.entries(unsupported(html)).flatMap(([title, clients]) =>
    clients
      .filter((client) => !(known[title] ?? []).includes(client))
      .map((client) => `caniemail: ${client} does not support ${title}`),
  );
}

const isBaseline = process.argv[2] === "--baseline";
for (const file of process.argv.slice(isBaseline ? 3 : 2)) {
  const html = readFileSync(file, "utf8");
  if (isBaseline) {
    writeFileSync(baselineFile, JSON.stringify(unsupported(html), null, 1) + "\n");
  } else {
    const problems = [...(await invalid(html)), ...beyondBaseline(html)];
    for (const problem of problems) console.log(`${basename(file)}: ${problem}`);
    if (problems.length) process.exitCode = 1;
  }
}
