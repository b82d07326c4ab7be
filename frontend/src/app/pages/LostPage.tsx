import { useTranslation } from "react-i18next";

import { Link } from "@/components/ui/Link";
import { paths } from "@/lib/route";

export function LostPage() {
  const { t } = useTranslation();
  return (
    <div className="mx-auto max-w-prose py-16">
      <h1 data-page-title tabIndex={-1} className="text-3xl outline-none">
        {t("lost.title")}
      </h1>
      <p className="mt-2 text-soft">
        {t("lost.text")}{" "}
        <Link href={paths.compose} className="text-hot-text underline">
          {t("library.compose")}
        </Link>
      </p>
    </div>
  );
}
