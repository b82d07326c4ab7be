import { SlidersVertical } from "lucide-react";
import { useTranslation } from "react-i18next";

import mark from "../../../assets/favicon.svg";
import { IconButton } from "@/components/ui/Button";
import { Link } from "@/components/ui/Link";
import { Menu, MenuChoice } from "@/components/ui/Menu";
import { SystemBadge } from "@/features/system/SystemBadge";
import { chooseLanguage, languageName, LANGUAGES } from "@/i18n";
import { cx } from "@/lib/cx";
import { paths, type Route } from "@/lib/route";
import { setTheme, THEMES, useTheme } from "@/lib/theme";

export function Header({ route }: { route: Route }) {
  const { t } = useTranslation();
  return (
    <header className="mx-auto flex h-16 w-full max-w-[96rem] items-center gap-1 px-3 md:gap-3 md:px-6">
      <Link href={paths.compose} className="flex items-center gap-2.5 rounded-md pr-1" aria-label="Khala">
        <img src={mark} alt="" width={32} height={32} />
        <span aria-hidden className="text-xl font-bold tracking-tight [font-stretch:118%] max-sm:hidden">
          Khala
        </span>
      </Link>
      <nav aria-label={t("nav.label")} className="mr-auto flex gap-1 md:ml-4">
        <NavLink href={paths.compose} here={route.page === "compose"} text={t("nav.compose")} />
        <NavLink href={paths.library} here={route.page === "library"} text={t("nav.library")} />
      </nav>
      <SystemBadge />
      <Preferences />
    </header>
  );
}

function NavLink({ href, here, text }: { href: string; here: boolean; text: string }) {
  return (
    <Link
      href={href}
      aria-current={here ? "page" : undefined}
      className={cx(
        "flex h-10 items-center rounded-md px-3 text-sm transition-colors",
        here ? "bg-panel font-semibold" : "text-soft hover:bg-panel hover:text-text",
      )}
    >
      {text}
    </Link>
  );
}

function Preferences() {
  const { t, i18n } = useTranslation();
  const theme = useTheme();
  return (
    <Menu
      trigger={
        <IconButton label={t("preferences.title")} className="hover:bg-panel">
          <SlidersVertical size={18} aria-hidden />
        </IconButton>
      }
    >
      <MenuChoice
        label={t("preferences.language")}
        value={i18n.language}
        onChange={(code) => void chooseLanguage(code)}
        options={LANGUAGES.map((code) => ({ value: code, text: languageName(code), lang: code }))}
      />
      <MenuChoice
        label={t("preferences.theme")}
        value={theme}
        onChange={setTheme}
        options={THEMES.map((each) => ({ value: each, text: t(`preferences.themes.${each}`) }))}
      />
    </Menu>
  );
}
