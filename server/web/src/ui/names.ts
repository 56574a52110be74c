/** Names as the interface says them. Schools and people keep their names; subjects, years and neutral labels are
 * read out in the language shown. */

import { has, language, t } from "./i18n";

const SUBJECT_KEY = "subject.";
const NUMERALS = "一二三四五六七八九";
/** The kinds that the title of something without classes begins with. */
const KINDS: Record<string, string> = { 集体备课: "joint_preparation", 联席会议: "joint_meeting", 学业测试: "common_test", 教研: "research" };

export function subjectName(subject: string): string {
  const key = SUBJECT_KEY + subject;
  return has(key) ? t(key) : subject;
}

/** "五年级" or "Year 5". */
export function gradeName(grade: number): string {
  return t(`grade.${grade}`);
}

/** "五" or "Y5", for narrow places. */
export function gradeShort(grade: number): string {
  return language() === "en" ? `Y${grade}` : (NUMERALS[grade - 1] ?? String(grade));
}

/** What people call a codec of sound that ffmpeg names. */
export function soundName(codec: string): string {
  return codec === "pcm_alaw" || codec === "pcm_mulaw" ? "G.711" : codec.toUpperCase();
}

/**
 * A label of the register in the language shown: "语文教师01" is "Chinese teacher 01", "六(1)班" "Class 6-1",
 * "科学 五年级" "Science Year 5". What is not such a label stays as the school wrote it.
 */
export function label(text: string): string {
  if (language() !== "en") return text;
  return text
    .split(/([ 、；])/)
    .map((word) => ({ "、": ", ", "；": "; " })[word] ?? englishOf(word))
    .join("");
}

function englishOf(word: string): string {
  const teacher = /^(\p{Script=Han}{2,4})教师(\w+)$/u.exec(word);
  if (teacher?.[1] && teacher[2] && has(SUBJECT_KEY + teacher[1])) {
    return t("name.subject_teacher", { subject: subjectName(teacher[1]), label: teacher[2] });
  }
  const schoolClass = /^([一二三四五六七八九])\((\d+)\)班$/.exec(word);
  if (schoolClass?.[1] && schoolClass[2]) return t("name.class", { grade: gradeNumber(schoolClass[1]), number: schoolClass[2] });
  const homeRoom = /^([一二三四五六七八九])\((\d+)\)班教室$/.exec(word);
  if (homeRoom?.[1] && homeRoom[2]) return t("name.home_room", { grade: gradeNumber(homeRoom[1]), number: homeRoom[2] });
  const remote = /^远程教室(\d*)$/.exec(word);
  if (remote) return t("name.remote_room", { number: remote[1] ?? "" }).trim();
  const grade = /^([一二三四五六七八九])年级$/.exec(word);
  if (grade?.[1]) return gradeName(gradeNumber(grade[1]));
  const research = /^(\p{Script=Han}{2,4})教研$/u.exec(word);
  if (research?.[1] && has(SUBJECT_KEY + research[1])) return t("name.research", { subject: subjectName(research[1]) });
  return word in KINDS ? t(`kind.${KINDS[word]}`) : subjectName(word);
}

function gradeNumber(numeral: string): number {
  return NUMERALS.indexOf(numeral) + 1;
}
