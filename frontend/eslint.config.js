import reactHooks from "eslint-plugin-react-hooks";
import tseslint from "typescript-eslint";

const features = ["compose", "tags", "jobs", "player", "library", "system"];

export default tseslint.config(
  { ignores: ["dist", "src/api/schema.d.ts", "public", "scripts/*.mjs", "eslint.config.js"] },
  ...tseslint.configs.strictTypeChecked,
  reactHooks.configs.flat.recommended,
  {
    languageOptions: { parserOptions: { projectService: true, tsconfigRootDir: import.meta.dirname } },
    rules: {
      "@typescript-eslint/restrict-template-expressions": ["error", { allowNumber: true }],
      "@typescript-eslint/no-confusing-void-expression": ["error", { ignoreArrowShorthand: true }],
    },
  },
  // Features meet only in app/: none imports another, and nothing below imports app/.
  ...features.map((feature) => ({
    files: [`src/features/${feature}/**`],
    rules: {
      "no-restricted-imports": [
        "error",
        { patterns: ["@/app/*", ...features.filter((other) => other !== feature).map((other) => `@/features/${other}/*`)] },
      ],
    },
  })),
  {
    files: ["src/components/**", "src/lib/**", "src/api/**", "src/i18n/**"],
    rules: { "no-restricted-imports": ["error", { patterns: ["@/app/*", "@/features/*"] }] },
  },
);
