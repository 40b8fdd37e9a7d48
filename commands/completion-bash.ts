import type { CommandWord, FlagWord, Vocabulary } from './completion-words.js';
import { shellWord } from './shell-word.js';

/**
 * The completion script for bash 3.2 and later. It needs no other package: bash splits words at `=` and `:`, so the
 * script joins them again, and cuts from its answers what bash has put before the last of them.
 */
export function bashScript({ commands, steps }: Vocabulary): string {
  return `# bash completion for imgtool; made by: imgtool completion bash

_imgtool_commands() {
  printf '%s\\n' ${quoted([...new Set(commands.map(({ name }) => firstWord(name)))])}
}

# the second words of commands that have two
_imgtool_groups() {
  case "$1" in
${groups(commands)}    *) return 1 ;;
  esac
}

_imgtool_flags() {
  case "$1" in
${commands.map(({ name, flags }) => `    ${shellWord(name)}) printf '%s\\n' ${quoted(flags.flatMap(({ forms }) => forms))} ;;\n`).join('')}  esac
}

# what follows a flag: fails when it takes nothing
_imgtool_values() {
  case "$1 $2" in
${commands.flatMap(valueCases).join('')}    *) return 1 ;;
  esac
}

_imgtool_arguments() {
  case "$1" in
${commands
  .filter(({ argument }) => argument.length > 0)
  .map(({ name, argument }) => `    ${shellWord(name)}) printf '%s\\n' ${quoted(argument)} ;;\n`)
  .join('')}  esac
}

# a step as far as it is written: the operation, then its parameters, then their values
_imgtool_steps() {
  local step="$1" name head last key
  if [[ "$step" != *:* ]]; then
    printf '%s\\n' ${quoted(steps.map(({ name }) => name))}
    return
  fi
  name="\${step%%:*}"
  last="\${step#*:}"
  last="\${last##*,}"
  head="\${step%"$last"}"
  key="\${last%%=*}"
  if [[ "$last" == *=* ]]; then
    case "$name:$key" in
${steps
  .flatMap(({ name, parameters }) =>
    parameters
      .filter(({ choices }) => choices.length > 0)
      .map(
        (parameter) =>
          `      ${name}:${parameter.name}) printf "$head$key=%s\\n" ${quoted(parameter.choices)} ;;\n`,
      ),
  )
  .join('')}    esac
    return
  fi
  case "$name" in
${steps.map(({ name, parameters }) => `    ${name}) printf "$head%s=\\n" ${quoted(parameters.map((parameter) => parameter.name))} ;;\n`).join('')}  esac
}

_imgtool() {
  local line=() word i glued=0 before current previous flag command='' typed
  COMPREPLY=()
  # bash has split words at = and : where those break words
  for ((i = 0; i <= COMP_CWORD; i++)); do
    word="\${COMP_WORDS[i]}"
    # after a space a new word begins, even behind a colon
    [[ "$word" == '' && "\${COMP_LINE-}" == *' ' ]] && glued=0
    if [[ \${#line[@]} -gt 0 && ("$word" == [=:] || $glued == 1) ]]; then
      line[\${#line[@]}-1]+="$word"
    else
      line+=("$word")
    fi
    glued=0
    [[ "$word" == [=:] ]] && glued=1
  done
  current="\${line[\${#line[@]}-1]}"
  previous="\${line[\${#line[@]}-2]}"

  command="\${line[1]}"
  if _imgtool_groups "$command" >/dev/null && [[ \${#line[@]} -gt 3 ]]; then command+=" \${line[2]}"; fi

  if [[ \${#line[@]} -eq 2 ]]; then
    typed="$(_imgtool_commands)"
  elif [[ \${#line[@]} -eq 3 ]] && _imgtool_groups "\${line[1]}" >/dev/null; then
    typed="$(_imgtool_groups "\${line[1]}")"
  elif [[ "$current" == --*=* ]]; then
    flag="\${current%%=*}"
    before="\${current#*=}"
    if typed="$(_imgtool_values "$command" "$flag" "$before")"; then
      [[ "$typed" == '' ]] && return
      _imgtool_reply "$before" "$typed"
    fi
    return
  elif [[ "$previous" == -* ]] && typed="$(_imgtool_values "$command" "$previous" "$current")"; then
    # no words of ours: file names, which bash itself completes
    [[ "$typed" == '' ]] && return
  elif [[ "$current" == -* ]]; then
    typed="$(_imgtool_flags "$command")"
  else
    typed="$(_imgtool_arguments "$command")"
    [[ "$typed" == '' ]] && return
  fi
  _imgtool_reply "$current" "$typed"
}

# the candidates that begin with what is typed, less what bash holds for words of their own
_imgtool_reply() {
  local current="$1" candidate cut=''
  case "$current" in
    *[:=]*) if [[ "$COMP_WORDBREAKS" == *:* ]]; then cut="\${current%"\${current##*[:=]}"}"; else cut="\${current%"\${current##*=}"}"; fi ;;
  esac
  while IFS= read -r candidate; do
    [[ "$candidate" == "$current"* ]] || continue
    [[ "$candidate" == *= ]] && compopt -o nospace 2>/dev/null
    candidate="\${candidate#"$cut"}"
    [[ "$candidate" == *' '* ]] && candidate="$(printf '%q' "$candidate")"
    COMPREPLY+=("$candidate")
  done <<<"$2"
}

# where we have no words, bash completes file names as ever
complete -o bashdefault -o default -F _imgtool imgtool
`;
}

function quoted(words: readonly string[]): string {
  return words.map(shellWord).join(' ');
}

function firstWord(name: string): string {
  return name.split(' ')[0] ?? name;
}

function groups(commands: readonly CommandWord[]): string {
  const pairs = commands.map(({ name }) => name.split(' ')).filter((words) => words.length > 1);
  return [...new Set(pairs.map(([first]) => first ?? ''))]
    .map((first) => {
      const seconds = pairs.filter(([word]) => word === first).map(([, second]) => second ?? '');
      return `    ${first}) printf '%s\\n' ${quoted(seconds)} ;;\n`;
    })
    .join('');
}

function valueCases({ name, flags }: CommandWord): string[] {
  return flags
    .filter(({ takes }) => takes !== 'nothing')
    .map(
      (flag) =>
        `    ${flag.forms.map((form) => shellWord(`${name} ${form}`)).join('|')}) ${offered(flag)} ;;\n`,
    );
}

function offered({ takes, values }: FlagWord): string {
  if (takes === 'step') return '_imgtool_steps "$3"';
  return takes === 'values' ? `printf '%s\\n' ${quoted(values)}` : ':';
}
