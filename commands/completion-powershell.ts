import type { CommandWord, FlagWord, Vocabulary } from './completion-words.js';

/** The completion script for PowerShell 5.1 and later; where it gives nothing, PowerShell completes file names. */
export function powershellScript({ commands, steps }: Vocabulary): string {
  return `# PowerShell completion for imgtool; made by: imgtool completion powershell

Register-ArgumentCompleter -Native -CommandName imgtool -ScriptBlock {
  param($wordToComplete, $commandAst, $cursorPosition)

  $commands = [ordered]@{
${commands.map(({ name, description }) => `    ${quote(name)} = ${quote(description)}\n`).join('')}  }
  $flags = @{
${commands.map(({ name, flags }) => `    ${quote(name)} = @(${list(flags.flatMap(({ forms }) => forms))})\n`).join('')}  }
  # what follows a flag; an empty list stands for file names or free text
  $values = @{
${commands.flatMap(valueRows).join('')}  }
  $arguments = @{
${commands
  .filter(({ argument }) => argument.length > 0)
  .map(({ name, argument }) => `    ${quote(name)} = @(${list(argument)})\n`)
  .join('')}  }
  $steps = [ordered]@{
${steps.map(({ name, parameters }) => `    ${quote(name)} = @(${list(parameters.map((parameter) => `${parameter.name}=`))})\n`).join('')}  }
  $choices = @{
${steps
  .flatMap(({ name, parameters }) =>
    parameters
      .filter(({ choices }) => choices.length > 0)
      .map((parameter) => `    ${quote(`${name}:${parameter.name}`)} = @(${list(parameter.choices)})\n`),
  )
  .join('')}  }

  $words = @($commandAst.CommandElements |
    Where-Object { $_.Extent.EndOffset -lt $cursorPosition -or $_.Extent.Text -ne $wordToComplete } |
    ForEach-Object { $_.Extent.Text })
  $command = if ($words.Count -gt 2 -and $commands.Contains("$($words[1]) $($words[2])")) { "$($words[1]) $($words[2])" } else { "$($words[1])" }
  $previous = if ($words.Count -gt 1) { $words[-1] } else { '' }

  function Get-Steps($step) {
    if ($step -notmatch ':') { return @($steps.Keys) }
    $name = $step.Split(':')[0]
    $last = $step.Substring($name.Length + 1).Split(',')[-1]
    $head = $step.Substring(0, $step.Length - $last.Length)
    if ($last -match '=') {
      $key = $last.Split('=')[0]
      return @($choices["\${name}:$key"] | ForEach-Object { "$head$key=$_" })
    }
    return @($steps[$name] | ForEach-Object { "$head$_" })
  }

  $candidates = if ($words.Count -le 1) {
    @($commands.Keys | ForEach-Object { $_.Split(' ')[0] } | Select-Object -Unique)
  } elseif ($words.Count -eq 2 -and -not $commands.Contains($words[1])) {
    @($commands.Keys | Where-Object { $_.StartsWith("$($words[1]) ") } | ForEach-Object { $_.Split(' ')[1] })
  } elseif ($values.ContainsKey("$command $previous")) {
    if ($values["$command $previous"] -contains '<step>') { Get-Steps $wordToComplete } else { $values["$command $previous"] }
  } elseif ($wordToComplete.StartsWith('-')) {
    $flags[$command]
  } else {
    $arguments[$command]
  }

  $candidates | Where-Object { $_ -and $_.StartsWith($wordToComplete) } | ForEach-Object {
    $text = if ($_ -match '\\s') { "'$_'" } else { $_ }
    [System.Management.Automation.CompletionResult]::new($text, $_, 'ParameterValue', $_)
  }
}
`;
}

function valueRows({ name, flags }: CommandWord): string[] {
  return flags
    .filter(({ takes }) => takes !== 'nothing')
    .flatMap((flag) =>
      flag.forms.map((form) => `    ${quote(`${name} ${form}`)} = @(${list(offered(flag))})\n`),
    );
}

function offered({ takes, values }: FlagWord): readonly string[] {
  return takes === 'step' ? ['<step>'] : values;
}

function list(words: readonly string[]): string {
  return words.map(quote).join(', ');
}

function quote(text: string): string {
  return `'${text.replaceAll("'", "''")}'`;
}
