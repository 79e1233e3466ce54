import java.util.*;

/** Random text that matches a simple regular expression, for answers under a regex() constraint. */
class RegexText {
    final String p;
    int i = 0;
    final Random r;
    RegexText(String p, Random r) {
        this.p = p;
        this.r = r;
    }
    static String gen(String p, Random r) {
        try {
            return new RegexText(p, r).alt();
        } catch (RuntimeException e) {
            return null;
        }
    }
    String alt() {
        List<String> opts = new ArrayList<>();
        opts.add(seq());
        while (i < p.length() && p.charAt(i) == '|') {
            i++;
            opts.add(seq());
        }
        return opts.get(r.nextInt(opts.size()));
    }
    String seq() {
        StringBuilder out = new StringBuilder();
        while (i < p.length() && p.charAt(i) != '|' && p.charAt(i) != ')') {
            char c = p.charAt(i);
            int start = i;
            if (c == '^' || c == '$') {
                i++;
                continue;
            }
            String one = atom();
            int end = i;
            int lo = 1, hi = 1;
            if (i < p.length()) {
                char q = p.charAt(i);
                if (q == '*') {
                    lo = 0;
                    hi = 4;
                    i++;
                } else if (q == '+') {
                    lo = 1;
                    hi = 5;
                    i++;
                } else if (q == '?') {
                    lo = 0;
                    hi = 1;
                    i++;
                } else if (q == '{') {
                    int e = p.indexOf('}', i);
                    String[] b = p.substring(i + 1, e).split(",", -1);
                    lo = Integer.parseInt(b[0]);
                    hi = b.length == 1 ? lo : b[1].isEmpty() ? lo + 4 : Integer.parseInt(b[1]);
                    i = e + 1;
                }
            }
            int k = lo + r.nextInt(hi - lo + 1);
            int after = i;
            for (int j = 0; j < k; j++) {
                if (j == 0)
                    out.append(one);
                else {
                    i = start;
                    out.append(atom());
                }
            }
            i = after;
        }
        return out.toString();
    }
    String atom() {
        char c = p.charAt(i++);
        if (c == '(') {
            if (p.startsWith("?:", i))
                i += 2;
            else if (p.startsWith("?", i))
                throw new RuntimeException("lookaround");
            String s = alt();
            i++;
            return s;
        }
        if (c == '[') {
            boolean neg = p.charAt(i) == '^';
            if (neg) i++;
            StringBuilder set = new StringBuilder();
            boolean first = true;
            while (p.charAt(i) != ']' || first) {
                first = false;
                char x = p.charAt(i++);
                if (x == '\\') {
                    String e = cls(p.charAt(i++));
                    set.append(e);
                    continue;
                }
                if (p.charAt(i) == '-' && p.charAt(i + 1) != ']') {
                    char y = p.charAt(i + 1);
                    i += 2;
                    for (char z = x; z <= y; z++) set.append(z);
                } else
                    set.append(x);
            }
            i++;
            if (neg) {
                StringBuilder s2 = new StringBuilder();
                for (char z = 'a'; z <= 'z'; z++)
                    if (set.indexOf("" + z) < 0) s2.append(z);
                set = s2;
            }
            return "" + set.charAt(r.nextInt(set.length()));
        }
        if (c == '.') return "" + (char) ('a' + r.nextInt(26));
        if (c == '\\') {
            String e = cls(p.charAt(i++));
            return "" + e.charAt(r.nextInt(e.length()));
        }
        return "" + c;
    }
    static String cls(char c) {
        return c == 'd'                            ? "0123456789"
                : c == 'w'                         ? "abcXYZ019_"
                : c == 's'                         ? " "
                : c == 'D' || c == 'S' || c == 'W' ? "x"
                                                   : "" + c;
    }
}
