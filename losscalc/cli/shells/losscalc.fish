# Completion of losscalc in fish: losscalc itself says what fits, a line each of its kind, its value and its help.
function __losscalc_complete
    set -l words (commandline -opc)
    set -l token (commandline -ct)
    test -n "$token"; or set token ""
    for line in (env _LOSSCALC_COMPLETE=fish_complete $words "$token" 2>/dev/null)
        set -l fields (string split -m 2 \t -- $line)
        if test "$fields[1]" = file
            # Behind --input= a path begins in the middle of a word.
            for path in (__fish_complete_path "$fields[2]")
                echo $fields[3]$path
            end
        else
            printf '%s\t%s\n' $fields[2] "$fields[3]"
        end
    end
end
complete --command losscalc --no-files --keep-order --arguments '(__losscalc_complete)'
