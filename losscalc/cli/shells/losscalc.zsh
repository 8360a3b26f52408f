#compdef losscalc
# Completion of losscalc in zsh: losscalc itself says what fits, a line each of its kind, its value and its help.
_losscalc() {
    local kind value help files
    local -a values lines
    while IFS=$'\t' read -r kind value help; do
        if [[ $kind == file ]]; then
            files=yes
        else
            values+=("$value")
            lines+=("$value${help:+  -- $help}")
        fi
    done < <(_LOSSCALC_COMPLETE=zsh_complete "${words[1]}" "${(@Q)words[2,CURRENT]}" 2>/dev/null)
    compset -P '--*='
    (( $#values )) && compadd -l -V losscalc -d lines -a values
    [[ -n $files ]] && _files
}
if [[ $funcstack[1] == _losscalc ]]; then
    _losscalc "$@"
else
    compdef _losscalc losscalc
fi
