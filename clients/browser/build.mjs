// src → dist: the script tag's files, the ES modules and their types. Offline, and it refuses to grow.
import { execFileSync } from 'node:child_process';
import { readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { gzipSync } from 'node:zlib';
import { build } from 'esbuild';
import { minify } from 'terser';

const MOST_BYTES_GZIPPED = 5 * 1024;
const { version } = JSON.parse(readFileSync(new URL('package.json', import.meta.url), 'utf8'));

process.chdir(import.meta.dirname ?? new URL('.', import.meta.url).pathname);
rmSync('dist', { recursive: true, force: true });

/** Members of our own that neither the page, nor the browser, nor the server ever sees by name. */
const internal = [
  'readAll', 'enqueue', 'settle', 'moveAll', 'discardAll', 'changedElsewhere', 'added', 'leave', 'comeBack', 'idFor', 'finish',
  'lookUp', 'keepValue', 'dropValue', 'namesOf', 'byteCount', 'route', 'envelope', 'contentJson', 'addressOf', 'contextNow',
];

for (const [name, extras] of [['trackmate', false], ['trackmate.extra', true]]) {
  const common = {
    bundle: true,
    format: 'esm',
    target: 'es2020',
    charset: 'utf8',
    logLevel: 'warning',
    define: { SDK_VERSION: JSON.stringify(version), SDK_EXTRAS: `${extras}` },
  };
  await build({ ...common, entryPoints: ['src/trackmate.ts'], outfile: `dist/${name}.mjs` });
  const { outputFiles } = await build({ ...common, entryPoints: ['src/script.ts'], write: false, mangleProps: new RegExp(`^(${internal.join('|')})$`) });
  const { code } = await minify(outputFiles[0].text, {
    ecma: 2020,
    module: true,
    compress: { passes: 3, unsafe: true, unsafe_arrows: true, unsafe_comps: true, hoist_funs: true, inline: 0, comparisons: false },
    format: { comments: false },
  });
  writeFileSync(`dist/${name}.js`, `(()=>{${code}})();\n`);
}

// Of the declarations only those that a user of the package can reach are kept: the entry and the API's types.
execFileSync(process.execPath, ['node_modules/typescript/bin/tsc', '-p', 'tsconfig.types.json'], { stdio: 'inherit' });
for (const file of readdirSync('dist')) {
  if (file.endsWith('.d.ts') && file !== 'trackmate.d.ts' && file !== 'api.d.ts') rmSync(`dist/${file}`);
}

const sizeOf = (file) => gzipSync(readFileSync(file), { level: 9 }).length;
const size = sizeOf('dist/trackmate.js');
console.log(`dist/trackmate.js: ${size} bytes gzipped (at most ${MOST_BYTES_GZIPPED}); trackmate.extra.js: ${sizeOf('dist/trackmate.extra.js')}`);
if (size > MOST_BYTES_GZIPPED) {
  console.error(`dist/trackmate.js is ${size - MOST_BYTES_GZIPPED} bytes too large.`);
  process.exit(1);
}
