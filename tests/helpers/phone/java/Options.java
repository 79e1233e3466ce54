import java.io.*;
import java.util.*;

/**
 * What one command asks for.
 *
 * <pre>
 * form.xml mediaDir outDir [options]     fill --n submissions
 *   --n N --seed S --tz ZONE --lang L --clock EPOCH_MILLIS
 *   --repeats MIN-MAX     instances of each repeat
 *   --blank P             chance that an optional answer stays empty
 *   --nasty P             chance of text that breaks careless programs
 *   --ctrl P              chance of control characters, which make the XML ill-formed
 *   --long P              chance of a very long text
 *   --entities DIR        entity store (entities.json), read and updated like Collect's
 *   --answers FILE.json   {"/data/q": "value", "/data/rep#count": "2", "q": null}: scripted answers
 *   --edit INSTANCE.xml   reopen a finalized instance, change --changes answers, finalize with deprecatedID
 *   --px N                pixels of a photo's side; --extra-bytes N  padding of every media file
 *   --deviceid --username --phonenumber --email VALUE
 * --merge-list NAME CSV HASH --entities DIR [--approval]    apply a server's entity list
 * --offline-ids NAME --entities DIR                         print the ids still offline, comma separated
 * --delete-entity NAME ID --entities DIR
 * </pre>
 */
class Options {
    String mode = "fill";
    final String[] modeArgs = new String[3];
    boolean approval = false;
    final List<String> paths = new ArrayList<>();

    int n = 1;
    long seed = 1;
    int repMin = 1, repMax = 3;
    double blank = 0.15, nasty = 0.1, ctrl = 0, longText = 0;
    File entitiesDir, edit;
    String lang, tz = "America/Panama";
    int px = 64, extraBytes = 0, changes = 3, retries = 15;
    boolean noEncrypt = false;
    long clockStart = System.currentTimeMillis();
    final Map<String, String> props = new HashMap<>(Map.of("deviceid", "collect:FillTestDevice01"));
    final Map<String, String> answers = new LinkedHashMap<>();

    @SuppressWarnings("unchecked")
    static Options read(String[] a) throws IOException {
        Options o = new Options();
        for (int i = 0; i < a.length; i++) {
            switch (a[i]) {
                case "--n": o.n = Integer.parseInt(a[++i]); break;
                case "--seed": o.seed = Long.parseLong(a[++i]); break;
                case "--repeats": {
                    String[] p = a[++i].split("-");
                    o.repMin = Integer.parseInt(p[0]);
                    o.repMax = Integer.parseInt(p[p.length - 1]);
                    break;
                }
                case "--blank": o.blank = Double.parseDouble(a[++i]); break;
                case "--nasty": o.nasty = Double.parseDouble(a[++i]); break;
                case "--ctrl": o.ctrl = Double.parseDouble(a[++i]); break;
                case "--long": o.longText = Double.parseDouble(a[++i]); break;
                case "--entities": o.entitiesDir = new File(a[++i]); break;
                case "--edit": o.edit = new File(a[++i]); break;
                case "--retries": o.retries = Integer.parseInt(a[++i]); break;
                case "--changes": o.changes = Integer.parseInt(a[++i]); break;
                case "--lang": o.lang = a[++i]; break;
                case "--px": o.px = Integer.parseInt(a[++i]); break;
                case "--extra-bytes": o.extraBytes = Integer.parseInt(a[++i]); break;
                case "--tz": o.tz = a[++i]; break;
                case "--clock": o.clockStart = Long.parseLong(a[++i]); break;
                case "--no-encrypt": o.noEncrypt = true; break;
                case "--deviceid":
                case "--username":
                case "--phonenumber":
                case "--email":
                    o.props.put(a[i].substring(2), a[i + 1]);
                    i++;
                    break;
                case "--answers": o.answers.putAll(Fill.JSON.readValue(new File(a[++i]), LinkedHashMap.class)); break;
                case "--approval": o.approval = true; break;
                case "--merge-list":
                case "--offline-ids":
                case "--delete-entity": {
                    o.mode = a[i].substring(2);
                    int wanted = o.mode.equals("merge-list") ? 3 : o.mode.equals("offline-ids") ? 1 : 2;
                    for (int j = 0; j < wanted; j++) o.modeArgs[j] = a[++i];
                    break;
                }
                default:
                    if (a[i].startsWith("--")) throw new IllegalArgumentException("unknown option " + a[i]);
                    o.paths.add(a[i]);
            }
        }
        return o;
    }
}
