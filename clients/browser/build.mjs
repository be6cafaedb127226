// src → dist: the script tag's file, the ES module and its types. Offline, and it refuses to grow.
import { execFileSync } from 'node:child_process';
import { readdirSync, readFileSync, rmSync } from 'node:fs';
import { gzipSync } from 'node:zlib';
import { build } from 'esbuild';

const MOST_BYTES_GZIPPED = 5 * 1024;
const { version } = JSON.parse(readFileSync(new URL('package.json', import.meta.url), 'utf8'));

process.chdir(import.meta.dirname ?? new URL('.', import.meta.url).pathname);
rmSync('dist', { recursive: true, force: true });

const common = {
  bundle: true,
  target: 'es2020',
  charset: 'utf8',
  logLevel: 'warning',
  define: { SDK_VERSION: JSON.stringify(version) },
};
await build({
  ...common,
  entryPoints: ['src/script.ts'],
  outfile: 'dist/trackmate.js',
  format: 'iife',
  minify: true,
  banner: { js: `/*! TrackMate ${version} | MIT */` },
});
await build({ ...common, entryPoints: ['src/trackmate.ts'], outfile: 'dist/trackmate.mjs', format: 'esm' });

// Of the declarations only the two that a user of the package can reach are kept: the entry and the API's types.
execFileSync(process.execPath, ['node_modules/typescript/bin/tsc', '-p', 'tsconfig.types.json'], { stdio: 'inherit' });
for (const file of readdirSync('dist')) {
  if (file.endsWith('.d.ts') && file !== 'trackmate.d.ts' && file !== 'api.d.ts') rmSync(`dist/${file}`);
}

const size = gzipSync(readFileSync('dist/trackmate.js'), { level: 9 }).length;
console.log(`dist/trackmate.js: ${size} bytes gzipped (at most ${MOST_BYTES_GZIPPED})`);
if (size > MOST_BYTES_GZIPPED) {
  console.error(`dist/trackmate.js is ${size - MOST_BYTES_GZIPPED} bytes too large.`);
  process.exit(1);
}
