import java.io.*;
import java.nio.file.*;
import java.util.*;
import java.util.regex.*;
import org.apache.commons.csv.CSVParser;
import org.apache.commons.csv.CSVRecord;
import org.javarosa.core.model.*;
import org.javarosa.core.model.Constants;
import org.javarosa.core.model.condition.EvaluationContext;
import org.javarosa.core.model.data.*;
import org.javarosa.core.model.data.helper.Selection;
import org.javarosa.core.model.instance.*;
import org.javarosa.form.api.*;
import org.javarosa.xpath.expr.XPathFuncExpr;

/** Answers that a person could give, by question type, appearance and constraint: random or scripted. */
class Answers {
    final Submission s;
    final Random rnd;
    final Options o;

    Answers(Submission s) {
        this.s = s;
        rnd = s.rnd;
        o = s.f.o;
    }

    IAnswerData scripted(FormEntryPrompt p, String v) {
        switch (p.getControlType()) {
            case Constants.CONTROL_SELECT_ONE:
                for (SelectChoice c : p.getSelectChoices())
                    if (c.getValue().equals(v)) return new SelectOneData(c.selection());
                throw new IllegalArgumentException("no choice " + v + " for " + s.path(p.getIndex().getReference()));
            case Constants.CONTROL_SELECT_MULTI:
            case Constants.CONTROL_RANK: {
                List<Selection> l = new ArrayList<>();
                for (String s : v.split(" "))
                    for (SelectChoice c : p.getSelectChoices())
                        if (c.getValue().equals(s)) l.add(c.selection());
                return new SelectMultiData(l);
            }
            case Constants.CONTROL_IMAGE_CHOOSE:
            case Constants.CONTROL_AUDIO_CAPTURE:
            case Constants.CONTROL_VIDEO_CAPTURE:
            case Constants.CONTROL_FILE_CAPTURE: {
                File f = new File(v);
                try {
                    if (f.exists()) {
                        String nm = f.getName();
                        Files.copy(f.toPath(), new File(s.folder, nm).toPath(), StandardCopyOption.REPLACE_EXISTING);
                        return new StringData(nm);
                    }
                } catch (IOException e) {
                    throw new RuntimeException(e);
                }
                return new StringData(v);
            }
            case Constants.CONTROL_RANGE:
                return p.getDataType() == Constants.DATATYPE_INTEGER ? new IntegerData(Integer.parseInt(v))
                                                                     : new DecimalData(Double.parseDouble(v));
            default: {
                IAnswerData d = org.javarosa.xform.util.XFormAnswerDataParser.getAnswerData(
                        v, p.getDataType(), p.getQuestion());
                if (d == null)
                    throw new IllegalArgumentException(
                            "value " + v + " does not fit " + s.path(p.getIndex().getReference()));
                return d;
            }
        }
    }

    // ------------------------------------------------------------------ random values by type
    static double[] point(Random r) {
        double lat = 7.2 + r.nextDouble() * 2.4, lon = -83.0 + r.nextDouble() * 5.7;
        if (r.nextInt(25) == 0) {
            lat = (r.nextDouble() - 0.5) / 1000;
            lon = (r.nextDouble() - 0.5) / 100;
        } // a simulated position: written with exponents
        return new double[] {lat, lon, r.nextInt(5) == 0 ? 0.0 : Math.round(r.nextDouble() * 18000) / 10.0,
                Double.parseDouble(Float.toString(3f + r.nextFloat() * 20f))};
    }

    static final String[] WORDS = {"Ngäbe", "Buglé", "comarca", "río", "niño", "señora", "agua", "escuela", "Kusapín",
            "Müna", "Jirondai", "Guna Yala", "Emberá", "pescado", "yuca", "plátano", "ñame", "Changuinola", "año 2026",
            "casa"};
    static final String[] NASTY = {"O'Brien & \"hijos\" <b>", "línea 1\nlínea 2", "  espacios  ", "=1+1",
            "+50761234567", "-5", "@user", "😀 café ☕", "a,b;c\td", "<![CDATA[x]]>", "&amp;&#10;", "\\\\servidor\\x",
            "null", "NaN", "0012", "1e5", "𠜎漢字", "Ŋ̈gäbe gwi", "\u00a0nbsp\u00a0", "'; DROP TABLE x; --", "${q}",
            "{{7*7}}", "%00%0a", "true", "2026-01-01", "\u202Ertl", "Nga\u0308be Bugle\u0301", "   ",
            "\r\nuno\r\ndos\r", "\u200b\ufeffinvisible", "]]>", "-->", "<?php ?>", "\u2028sep\u2029", "1,5", "١٢٣"};

    IAnswerData random(FormEntryPrompt p, int attempt) {
        QuestionDef q = p.getQuestion();
        int ct = p.getControlType();
        String app = String.valueOf(p.getAppearanceHint());
        String con = s.f.constraintText.get(p.getIndex().getReference().toString(false));
        boolean guided = con != null && (attempt % 4 != 0 || attempt > 100);
        if (app.contains("search(") && (ct == Constants.CONTROL_SELECT_ONE || ct == Constants.CONTROL_SELECT_MULTI)) {
            List<String> vals = searchValues(p, app);
            if (vals != null) {
                if (vals.isEmpty()) return null;
                Selection s = new Selection(vals.get(rnd.nextInt(vals.size())));
                return ct == Constants.CONTROL_SELECT_ONE ? new SelectOneData(s)
                                                          : new SelectMultiData(Collections.singletonList(s));
            }
        }
        switch (ct) {
            case Constants.CONTROL_TRIGGER: return new StringData("OK");
            case Constants.CONTROL_SELECT_ONE: {
                List<SelectChoice> c = p.getSelectChoices();
                return c.isEmpty() ? null : new SelectOneData(c.get(rnd.nextInt(c.size())).selection());
            }
            case Constants.CONTROL_SELECT_MULTI: {
                List<SelectChoice> c = p.getSelectChoices();
                if (c.isEmpty()) return null;
                int k = 1 + rnd.nextInt(c.size());
                List<Integer> idx = new ArrayList<>();
                for (int i = 0; i < c.size(); i++) idx.add(i);
                Collections.shuffle(idx, rnd); // Collect keeps the order in which the user tapped the choices
                List<Selection> l = new ArrayList<>();
                for (int i : idx.subList(0, k)) l.add(c.get(i).selection());
                return new SelectMultiData(l);
            }
            case Constants.CONTROL_RANK: {
                List<Selection> l = new ArrayList<>();
                for (SelectChoice c : p.getSelectChoices()) l.add(c.selection());
                if (l.isEmpty()) return null;
                Collections.shuffle(l, rnd);
                return new SelectMultiData(l);
            }
            case Constants.CONTROL_RANGE: {
                RangeQuestion r = (RangeQuestion) q;
                java.math.BigDecimal st = r.getRangeStep().abs(), lo = r.getRangeStart().min(r.getRangeEnd()),
                                     hi = r.getRangeStart().max(r.getRangeEnd());
                int steps = st.signum() == 0 ? 0 : hi.subtract(lo).divide(st, java.math.RoundingMode.FLOOR).intValue();
                java.math.BigDecimal v = lo.add(st.multiply(new java.math.BigDecimal(rnd.nextInt(steps + 1))));
                return p.getDataType() == Constants.DATATYPE_INTEGER ? new IntegerData(v.intValue())
                                                                     : new DecimalData(v.doubleValue());
            }
            case Constants.CONTROL_IMAGE_CHOOSE: return new StringData(s.media.name("jpg"));
            case Constants.CONTROL_AUDIO_CAPTURE:
                return new StringData(s.media.name(rnd.nextInt(3) == 0 ? "amr" : "m4a"));
            case Constants.CONTROL_VIDEO_CAPTURE: return new StringData(s.media.name("mp4"));
            case Constants.CONTROL_FILE_CAPTURE:
                return new StringData(
                        s.media.name(new String[] {"pdf", "docx", "xlsx", "csv", "txt", "zip", "xml"}[rnd.nextInt(7)]));
            case Constants.CONTROL_OSM_CAPTURE: return new StringData(s.media.name("osm"));
            default:
        }
        switch (p.getDataType()) {
            case Constants.DATATYPE_INTEGER: {
                if (guided) {
                    Double d = guidedNumber(con);
                    if (d != null && Math.abs(d) < 2e9) return new IntegerData((int) Math.round(d));
                }
                int[] spans = {10, 100, 1000, 1000000, 999999999};
                return new IntegerData(
                        rnd.nextInt(spans[rnd.nextInt(attempt < 4 ? 3 : 5)]) * (rnd.nextInt(8) == 0 ? -1 : 1));
            }
            case Constants.DATATYPE_LONG: return new LongData(rnd.nextLong() % 1000000000000L);
            case Constants.DATATYPE_DECIMAL: {
                if (guided) {
                    Double d = guidedNumber(con);
                    if (d != null)
                        return new DecimalData(
                                rnd.nextBoolean() ? d : Math.round((d + rnd.nextDouble()) * 100) / 100.0);
                }
                switch (rnd.nextInt(
                        8)) { // Collect's field takes 15 characters; Double.toString turns to exponents from 1e7 up and below 1e-3
                    case 6:
                        return new DecimalData(new double[] {-0.0, 0.0, 999999999999999.0, -99999999999999.0, 1e7,
                                9999999.0, 0.001, 0.000000001, 0.1 + 0.2}[rnd.nextInt(9)]);
                    case 0: return new DecimalData(rnd.nextInt(100));
                    case 1: return new DecimalData(rnd.nextInt(999999999) + 12345678.5);
                    case 2: return new DecimalData(Math.round(rnd.nextDouble() * 1e5) / 1e8);
                    default:
                        return new DecimalData(
                                Math.round(rnd.nextDouble() * 1e5) / 100.0 * (rnd.nextInt(6) == 0 ? -1 : 1));
                }
            }
            case Constants.DATATYPE_DATE: return new DateData(midnight(day(guided ? con : null)));
            case Constants.DATATYPE_DATE_TIME:
                return new DateTimeData(new Date(day(guided ? con : null).getTime() / 60000 * 60000));
            case Constants.DATATYPE_TIME: {
                Calendar c = Calendar.getInstance();
                c.set(Calendar.HOUR_OF_DAY, rnd.nextInt(24));
                c.set(Calendar.MINUTE, rnd.nextInt(60));
                c.set(Calendar.SECOND, 0);
                c.set(Calendar.MILLISECOND, 0);
                return new TimeData(c.getTime());
            }
            case Constants.DATATYPE_BOOLEAN: return new BooleanData(rnd.nextBoolean());
            case Constants.DATATYPE_GEOPOINT: {
                double[] pt = point(rnd);
                if (app.contains("placement-map") || app.equals("maps")) {
                    pt[2] = 0;
                    pt[3] = 0;
                }
                return new GeoPointData(pt);
            }
            case Constants.DATATYPE_GEOTRACE: {
                GeoTraceData.GeoTrace t = new GeoTraceData.GeoTrace();
                ring(t.points, 2 + rnd.nextInt(6));
                return new GeoTraceData(t);
            }
            case Constants.DATATYPE_GEOSHAPE: {
                GeoShapeData.GeoShape s = new GeoShapeData.GeoShape();
                ring(s.points, 3 + rnd.nextInt(5));
                s.points.add(s.points.get(0).clone());
                return new GeoShapeData(s);
            }
            case Constants.DATATYPE_BARCODE: return new StringData("75" + (1000000000L + rnd.nextInt(999999999)));
            default: return new StringData(textValue(guided ? con : null, app, attempt));
        }
    }

    /** search('file') and search('file', 'matches', 'column', value) appearances; null when not understood */
    List<String> searchValues(FormEntryPrompt p, String app) {
        Matcher m = Pattern.compile("search\\s*\\(\\s*'([^']+)'\\s*(?:,\\s*'(\\w+)'\\s*,\\s*'(\\w+)'\\s*,\\s*([^,)]+(?:"
                                    + "\\([^)]*\\))?))?")
                            .matcher(app);
        if (!m.find()) return null;
        File f = new File(s.f.mediaDir, m.group(1) + (m.group(1).endsWith(".csv") ? "" : ".csv"));
        if (!f.exists()) return null;
        List<String> out = new ArrayList<>();
        try (CSVParser c = new SecondaryInstanceCSVParserBuilder().path(f.getPath()).build()) {
            String want = null;
            if (m.group(2) != null) {
                Object v = org.javarosa.xpath.XPathParseTool.parseXPath(m.group(4).trim())
                                   .eval(s.form.getMainInstance(),
                                           new EvaluationContext(
                                                   s.form.getEvaluationContext(), p.getIndex().getReference()));
                want = XPathFuncExpr.toString(XPathFuncExpr.unpack(v));
            }
            for (CSVRecord r : c)
                for (SelectChoice ch : p.getQuestion().getChoices()) {
                    if (!r.isMapped(ch.getValue())) continue;
                    if (want != null) {
                        String x = r.isMapped(m.group(3)) ? r.get(m.group(3)) : "";
                        String how = m.group(2);
                        if (!(how.equals("matches")                    ? x.equals(want)
                                            : how.equals("contains")   ? x.contains(want)
                                            : how.equals("startsWith") ? x.startsWith(want)
                                                                       : x.endsWith(want)))
                            continue;
                    }
                    out.add(r.get(ch.getValue()));
                }
        } catch (Exception e) {
            return null;
        }
        return out;
    }

    void ring(List<double[]> pts, int n) {
        double[] c = point(rnd);
        double r = 0.0005 + rnd.nextDouble() * 0.01;
        boolean gps = rnd.nextBoolean();
        for (int i = 0; i < n; i++) {
            double ang = 2 * Math.PI * i / n;
            pts.add(new double[] {
                    c[0] + r * Math.cos(ang), c[1] + r * Math.sin(ang), gps ? c[2] : 0.0, gps ? c[3] : 0.0});
        }
    }

    String textValue(String con, String app, int attempt) {
        if (con != null) {
            Matcher m = Pattern.compile("regex\\s*\\(\\s*\\.\\s*,\\s*(?:'([^']*)'|\"([^\"]*)\")").matcher(con);
            if (m.find()) {
                String g = RegexText.gen(m.group(1) != null ? m.group(1) : m.group(2), rnd);
                if (g != null && !g.isEmpty()) return g;
            }
            if (con.contains("string-length")) {
                Double d = guidedNumber(con);
                if (d != null && d >= 1 && d < 5000) {
                    StringBuilder b = new StringBuilder();
                    while (b.length() < d) b.append((char) ('a' + rnd.nextInt(26)));
                    return b.substring(0, d.intValue());
                }
            }
            if (attempt % 3 == 0) {
                List<String> lits = literals(con);
                if (!lits.isEmpty()) return lits.get(rnd.nextInt(lits.size()));
            }
            if (attempt % 3 == 1) {
                Double d = guidedNumber(con);
                if (d != null) return "" + Math.round(d);
            }
        }
        if (app.contains("numbers")) return String.format("%0" + (3 + rnd.nextInt(5)) + "d", rnd.nextInt(1000));
        if (o.ctrl > 0 && rnd.nextDouble() < o.ctrl) { // JavaRosa then writes XML that is not well formed
            StringBuilder b = new StringBuilder("(01)07\u001d21");
            for (int i = 0; i < 3; i++)
                b.append("\u0001\u0002\u0008\u000b\u000c\u000e\u001b\u001c\u001e\u001f".charAt(rnd.nextInt(10)))
                        .append((char) ('A' + rnd.nextInt(26)));
            return b.toString();
        }
        if (rnd.nextDouble() < o.longText) {
            StringBuilder b = new StringBuilder();
            int n = 2000 + rnd.nextInt(18000);
            for (int i = 0; i < n; i++) b.append(WORDS[rnd.nextInt(WORDS.length)]).append(' ');
            return b.toString();
        }
        if (rnd.nextDouble() < o.nasty) return NASTY[rnd.nextInt(NASTY.length)];
        StringBuilder b = new StringBuilder();
        int n = 1 + rnd.nextInt(app.contains("multiline") ? 60 : 4);
        for (int i = 0; i < n; i++)
            b.append(i == 0 ? "" : (app.contains("multiline") && rnd.nextInt(8) == 0 ? "\n" : " "))
                    .append(WORDS[rnd.nextInt(WORDS.length)]);
        return b.toString();
    }

    static List<String> literals(String con) {
        List<String> l = new ArrayList<>();
        Matcher m = Pattern.compile("'([^']+)'|\"([^\"]+)\"").matcher(con);
        while (m.find()) l.add(m.group(1) != null ? m.group(1) : m.group(2));
        return l;
    }

    /** a number near one of the numbers that the constraint mentions, or near a numeric answer already in the form */
    Double guidedNumber(String con) {
        List<Double> n = new ArrayList<>();
        Matcher m = Pattern.compile("(?<![\\w.])-?\\d+(?:\\.\\d+)?").matcher(con.replaceAll("'[^']*'|\"[^\"]*\"", " "));
        while (m.find()) n.add(Double.parseDouble(m.group()));
        if (con.contains("/") || n.isEmpty()) numbers(s.form.getMainInstance().getRoot(), n);
        if (n.isEmpty()) return null;
        double x = n.get(rnd.nextInt(n.size())), y = n.get(rnd.nextInt(n.size()));
        switch (rnd.nextInt(6)) {
            case 0: return x;
            case 1: return x + 1;
            case 2: return x - 1;
            case 3: return Math.min(x, y) + rnd.nextDouble() * Math.abs(x - y);
            case 4: return x + rnd.nextInt(20);
            default: return x - rnd.nextInt(20);
        }
    }

    static void numbers(TreeElement e, List<Double> out) {
        if (e.getValue() instanceof IntegerData || e.getValue() instanceof DecimalData)
            out.add(Double.parseDouble(e.getValue().getDisplayText()));
        for (int i = 0; i < e.getNumChildren(); i++)
            if (e.getChildAt(i).getMult() != TreeReference.INDEX_TEMPLATE) numbers(e.getChildAt(i), out);
    }

    static void dates(TreeElement e, List<Date> out) {
        if (e.getValue() instanceof DateData || e.getValue() instanceof DateTimeData)
            out.add((Date) e.getValue().getValue());
        for (int i = 0; i < e.getNumChildren(); i++)
            if (e.getChildAt(i).getMult() != TreeReference.INDEX_TEMPLATE) dates(e.getChildAt(i), out);
    }

    Date day(String con) {
        long now = s.clock, d = 86400000L;
        List<Date> near = new ArrayList<>();
        near.add(new Date(now));
        if (con != null) {
            Matcher m = Pattern.compile("(\\d{4})-(\\d{2})-(\\d{2})").matcher(con);
            while (m.find())
                near.add(new GregorianCalendar(
                        Integer.parseInt(m.group(1)), Integer.parseInt(m.group(2)) - 1, Integer.parseInt(m.group(3)))
                                .getTime());
            dates(s.form.getMainInstance().getRoot(), near);
        }
        long b = near.get(rnd.nextInt(near.size())).getTime();
        switch (rnd.nextInt(5)) {
            case 0: return new Date(b);
            case 1: return new Date(b - rnd.nextInt(40) * d);
            case 2: return new Date(b + rnd.nextInt(40) * d);
            case 3: return new Date(b - (long) rnd.nextInt(36500) * d);
            default: return new Date(b - rnd.nextInt(1000) * d - rnd.nextInt(86400) * 1000L);
        }
    }

    static Date midnight(Date x) {
        Calendar c = Calendar.getInstance();
        c.setTime(x);
        c.set(Calendar.HOUR_OF_DAY, 0);
        c.set(Calendar.MINUTE, 0);
        c.set(Calendar.SECOND, 0);
        c.set(Calendar.MILLISECOND, 0);
        return c.getTime();
    }
}
