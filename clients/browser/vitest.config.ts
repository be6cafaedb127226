import { readFileSync } from 'node:fs';
import { defineConfig } from 'vitest/config';

const { version } = JSON.parse(readFileSync('package.json', 'utf8')) as { version: string };

export default defineConfig({
  define: { SDK_VERSION: JSON.stringify(version) },
  test: {
    environment: 'happy-dom',
    environmentOptions: { happyDOM: { url: 'https://shop.example/homepage' } },
    globalSetup: 'tests/build.ts',
    include: ['tests/**/*.test.ts'],
    testTimeout: 60_000,
  },
});
