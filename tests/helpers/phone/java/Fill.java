import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.*;
import java.nio.charset.StandardCharsets;
import java.util.*;

/**
 * Fills XForms with JavaRosa, the engine inside ODK Collect, and writes submissions to disk the way Collect does.
 *
 * <p>One folder per submission: `outDir/FORM NAME_TIME/` with the XML of the same name and the files that are sent
 * along. One JSON line per submission is printed (instanceId, files, entities, the flat list of serialized answers).
 */
public class Fill {
    static final String ENTITIES_NS = "http://www.opendatakit.org/xforms/entities";
    static final String ODK_NS = "http://www.opendatakit.org/xforms";
    static final ObjectMapper JSON = new ObjectMapper();
    static final int DONE = 0, UNSATISFIED = 3;

    public static void main(String[] a) throws Exception {
        System.setProperty("java.awt.headless", "true");
        if (a.length == 1 && a[0].equals("--stay"))
            stay();
        else
            System.exit(command(a));
    }

    /** Commands as JSON arrays on standard input, one a line; one line {code, printed, problem} for each. */
    static void stay() throws Exception {
        PrintStream wire = new PrintStream(new FileOutputStream(FileDescriptor.out), true, "UTF-8");
        BufferedReader in = new BufferedReader(new InputStreamReader(System.in, StandardCharsets.UTF_8));
        for (String line; (line = in.readLine()) != null;) {
            ByteArrayOutputStream printed = new ByteArrayOutputStream();
            System.setOut(new PrintStream(printed, true, "UTF-8"));
            Map<String, Object> answer = new LinkedHashMap<>();
            try {
                answer.put("code", command(JSON.readValue(line, String[].class)));
                answer.put("problem", "");
            } catch (Throwable e) {
                StringWriter told = new StringWriter();
                e.printStackTrace(new PrintWriter(told));
                answer.put("code", 1);
                answer.put("problem", told.toString());
            }
            answer.put("printed", printed.toString("UTF-8"));
            wire.println(JSON.writeValueAsString(answer));
        }
    }

    static int command(String[] a) throws Exception {
        Options o = Options.read(a);
        TimeZone.setDefault(TimeZone.getTimeZone(o.tz));
        switch (o.mode) {
            case "merge-list": {
                EntityStore s = new EntityStore(o.entitiesDir);
                s.mergeFromServer(o.modeArgs[0], new File(o.modeArgs[1]), o.modeArgs[2], o.approval);
                s.save();
                System.out.println(s.summary(o.modeArgs[0]));
                return DONE;
            }
            case "offline-ids":
                System.out.println(String.join(",", new EntityStore(o.entitiesDir).offlineIds(o.modeArgs[0])));
                return DONE;
            case "delete-entity": {
                EntityStore s = new EntityStore(o.entitiesDir);
                s.delete(o.modeArgs[0], o.modeArgs[1]);
                s.save();
                return DONE;
            }
            default: {
                if (o.paths.size() != 3) throw new IllegalArgumentException("form, media and output are needed");
                return new Form(new File(o.paths.get(0)), new File(o.paths.get(1)), new File(o.paths.get(2)), o).fill();
            }
        }
    }
}
