import java.io.*;
import java.util.*;
import org.apache.commons.csv.CSVParser;
import org.apache.commons.csv.CSVRecord;
import org.javarosa.core.model.condition.EvaluationContext;
import org.javarosa.core.model.condition.IFunctionHandler;
import org.javarosa.core.model.instance.*;
import org.javarosa.xpath.expr.XPathFuncExpr;

/** The function pulldata(): a value from an attached CSV file or from an entity list. */
class PullData implements IFunctionHandler {
    final EntityStore store;
    final File mediaDir;
    PullData(EntityStore s, File m) {
        store = s;
        mediaDir = m;
    }
    public String getName() { return "pulldata"; }
    public List<Class[]> getPrototypes() { return new ArrayList<>(); }
    public boolean rawArgs() { return true; }
    public boolean realTime() { return false; }
    public Object eval(Object[] args, EvaluationContext ec) {
        String set = XPathFuncExpr.toString(args[0]), col = XPathFuncExpr.toString(args[1]),
               kcol = XPathFuncExpr.toString(args[2]), k = XPathFuncExpr.toString(args[3]);
        try {
            if (store.lists.containsKey(set)) {
                for (EntityStore.Ent e : store.lists.get(set).entities) {
                    Map<String, String> m = new HashMap<>(e.properties);
                    m.put("name", e.id);
                    m.put("label", e.label);
                    m.put("__version", "" + e.version);
                    if (k.equals(m.get(kcol))) return m.getOrDefault(col, "");
                }
                return "";
            }
            File f = new File(mediaDir, set + ".csv");
            if (!f.exists()) return "";
            try (CSVParser p = new SecondaryInstanceCSVParserBuilder().path(f.getPath()).build()) {
                for (CSVRecord r : p)
                    if (k.equals(r.get(kcol))) return r.get(col);
            }
        } catch (IOException | IllegalArgumentException e) {
            return "";
        }
        return "";
    }
}
