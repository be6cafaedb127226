using System.Runtime.InteropServices;
using System.Text;
using System.Text.Json;
using TrackMate.Bind;
using TrackMate.Http;
using TrackMate.Receive;
using TrackMate.Store.Tables;
using TrackMate.Store.Timeline;

namespace TrackMate.Transfer;

/// <summary>A line of an export, read back: every rule that a message was received under is checked again, since a file can be of any origin.</summary>
/// <param name="Message">Of an event or identify.</param>
/// <param name="Act">Of an act.</param>
/// <param name="Settings">Of a company's first line.</param>
/// <param name="Secret">Of a company's first line that was written with it.</param>
internal sealed record ImportLine(Message? Message, ExportedAct? Act, JsonElement? Settings, byte[]? Secret)
{
    public const string Format = "trackmate-export/1";

    private const int MaxText = 200;
    private static readonly CompanySettings AnyCompany = new();

    /// <exception cref="FormatException">What has to be mended.</exception>
    public static ImportLine Read(byte[] line, Company company)
    {
        try
        {
            var json = JsonElement.Parse(line, new JsonDocumentOptions { AllowDuplicateProperties = false });
            return json.ValueKind is not JsonValueKind.Object ? throw new FormatException("it is not a JSON object") : Text(json, "type") switch
            {
                "event" => new(EventOf(json, company), null, null, null),
                "identify" => new(IdentifyOf(json, company), null, null, null),
                "act" => new(null, ActOf(json, company), null, null),
                "profile" => CheckFormat(json),
                "company" => CheckFormat(json) with
                {
                    Settings = json.GetProperty("settings"),
                    Secret = json.TryGetProperty("secret", out var secret) ? secret.GetBytesFromBase64() : null,
                },
                var type => throw new FormatException($"there are no lines of the type '{type}'"),
            };
        }
        catch (Exception e) when (e is JsonException or InvalidOperationException or KeyNotFoundException)
        {
            throw new FormatException("it is not a line of an export", e);
        }
        catch (RejectionException refused)
        {
            throw new FormatException(refused.Message, refused);
        }
    }

    private static ImportLine CheckFormat(JsonElement json) =>
        Text(json, "format") == Format ? new(null, null, null, null) : throw new FormatException($"its format is not {Format}");

    private static TrackedEvent EventOf(JsonElement json, Company company)
    {
        var (named, session) = (NamedIn(json, company), json.TryGetProperty("sessionId", out _) ? Given(Text(json, "sessionId"), "sessionId") : null);
        if (named.Count == 0 && session is null) throw new FormatException("it names neither a session nor a person");
        var order = OrderOf(json);
        if (order.Origin is Origin.Browser && (named.Count > 0 || session is null)) throw new FormatException("an event of a browser names its session and nobody");
        return new()
        {
            Company = company,
            EventId = Text(json, "eventId"),
            Order = order,
            ReceivedAt = TimeOf(json, "receivedAt"),
            SessionId = session,
            Named = named,
            Type = Text(json, "eventType"),
            Data = AsSent(json, "eventData") is { IsEmpty: false } data ? data : throw new FormatException("eventData is missing"),
            Context = AsSent(json, "context"),
            Agent = json.TryGetProperty("agent", out var agent)
                ? new(Part(agent, "browser"), Part(agent, "system"), Part(agent, "device"), agent.GetProperty("bot").GetBoolean())
                : null,
        };
    }

    private static Identify IdentifyOf(JsonElement json, Company company)
    {
        var (named, order, said) = (NamedIn(json, company), OrderOf(json), AsSent(json, "said"));
        if (named.Count == 0 || order.Origin is not Origin.Browser) throw new FormatException("an identify is a browser's and names somebody");
        return new()
        {
            Company = company,
            EventId = Text(json, "eventId"),
            Order = order,
            ReceivedAt = TimeOf(json, "receivedAt"),
            SessionId = Given(Text(json, "sessionId"), "sessionId"),
            Named = named,
            Trust = Text(json, "trust") switch
            {
                "verified" => Trust.Verified,
                "claimed" => Trust.Claimed,
                _ => throw new FormatException("trust is neither verified nor claimed"),
            },
            Traits = SaidTraits.Of(said.Span),
            Said = said,
        };
    }

    /// <summary>Every later message is taken in under the acts, so one that lacks what its kind needs must not come in.</summary>
    private static ExportedAct ActOf(JsonElement json, Company company)
    {
        var act = new ExportedAct(
            Text(json, "actId"),
            json.GetProperty("kind").GetInt64(),
            json.TryGetProperty("sessionId", out _) ? Text(json, "sessionId") : null,
            json.TryGetProperty("identifier", out var identifier) ? IdentifierOf(identifier, company) : null,
            json.TryGetProperty("other", out var other) ? IdentifierOf(other, company) : null,
            Number(json, "fromMs"),
            Number(json, "toMs"),
            json.GetProperty("atMs").GetInt64(),
            Text(json, "actor"),
            Number(json, "undoneMs"));
        (bool Session, bool Identifier, bool Other, bool From, bool To) needed = (ActKind)act.Kind switch
        {
            ActKind.RevokeClaim or ActKind.RevokeClaimed => (true, true, false, false, false),
            ActKind.RevokePair or ActKind.RevokeClaimedPair or ActKind.Merge => (false, true, true, false, false),
            ActKind.Unbind => (true, false, false, true, true),
            ActKind.Isolate => (false, true, false, false, false),
            ActKind.Freeze => (false, true, false, true, false),
            _ => throw new FormatException("there is no act of that kind"),
        };
        var given = (act.SessionId is not null, act.Identifier is not null, act.Other is not null, act.From is not null, act.To is not null);
        if (given != needed)
        {
            string[] names = ["sessionId", "identifier", "other", "fromMs", "toMs"];
            var needs = new[] { needed.Session, needed.Identifier, needed.Other, needed.From, needed.To };
            throw new FormatException($"an act of the kind {act.Kind} has {string.Join(", ", names.Where((_, number) => needs[number]))}, and nothing else of {string.Join(", ", names)}");
        }

        if (act.Other is { } one && one.Id == act.Identifier!.Id) throw new FormatException("an act of two names the same one twice");
        if (act is { Kind: (long)ActKind.Unbind, From: { } from, To: { } to } && from >= to) throw new FormatException("fromMs is not before toMs");
        if (act is { Kind: (long)ActKind.Freeze, From: { } since }) CheckTime(since, "fromMs", MessageReader.Latest);
        CheckTime(act.At, "atMs", MessageReader.Latest);
        if (act.UndoneAt is { } undone) CheckTime(undone, "undoneMs", MessageReader.Latest);
        return act;
    }

    private static void CheckTime(long unixMilliseconds, string name, long latest)
    {
        if (unixMilliseconds < MessageReader.Earliest || unixMilliseconds > latest) throw new FormatException($"{name} lies before 2000 or further ahead than can be");
    }

    private static List<Identifier> NamedIn(JsonElement json, Company company)
    {
        var named = json.GetProperty("identifiers").EnumerateArray().Select(identifier => IdentifierOf(identifier, company)).ToList();
        var places = named.ConvertAll(identifier => identifier.Kind is IdentifierKind.Bare ? 0 : (int)identifier.Kind);
        return places.Zip(places.Skip(1)).All(pair => pair.First < pair.Second) ? named : throw new FormatException("identifiers are not in the order userId, email, externalId, one of each at most");
    }

    private static Identifier IdentifierOf(JsonElement json, Company company)
    {
        // An id is keyed by the company's secret: where it is known of what it is the id, it is the id of that here.
        if (json.TryGetProperty("of", out var of)) return Identifier.Bare(IdentifierOf(of, company).Id);
        var value = Text(json, "value", EmailAddress.MaxLength);
        return Text(json, "kind") switch
        {
            "email" => EmailAddress.TryNormalize(value, out var normalized) ? Identifier.Email(company, normalized) : throw new FormatException("an e-mail in it is none"),
            "externalId" => Identifier.External(company, Given(value, "an externalId")),
            "userId" => ProfileId.TryParse(value, out var id) ? Identifier.Bare(id) : throw new FormatException("a userId in it is none"),
            var kind => throw new FormatException($"there are no identifiers of the kind '{kind}'"),
        };
    }

    private static EventOrder OrderOf(JsonElement json)
    {
        var origin = Text(json, "origin") switch
        {
            "browser" => Origin.Browser,
            "server" => Origin.Server,
            _ => throw new FormatException("origin is neither browser nor server"),
        };
        var (index, time, received) = (json.GetProperty("index").GetInt32(), TimeOf(json, "timestamp"), TimeOf(json, "receivedAt"));
        CheckTime(received, "receivedAt", MessageReader.Latest);
        CheckTime(time, "timestamp", received + MessageReader.FutureMilliseconds);
        return index is >= 0 and <= EventOrder.MaxIndex ? EventOrder.Of(time, origin, index) : throw new FormatException("its index cannot be");
    }

    /// <summary>What the company itself calls placeholders it may have received before it did.</summary>
    private static string Given(string text, string name) =>
        Placeholders.IsPlaceholder(text, AnyCompany) ? throw new FormatException($"{name} is a placeholder, on which strangers would meet") : text;

    private static long TimeOf(JsonElement json, string name) =>
        WrittenTime.TryParse(json.GetProperty(name).GetString(), out var time)
            ? time.UnixMilliseconds
            : throw new FormatException($"{name} is not a time");

    /// <summary>JSON of an object as it was sent, checked by the rules of the wire; empty where it is left out.</summary>
    private static ReadOnlyMemory<byte> AsSent(JsonElement json, string name)
    {
        byte[] sent;
        if (json.TryGetProperty(name, out var value)) sent = JsonMarshal.GetRawUtf8Value(value).ToArray();
        else if (json.TryGetProperty(name + "Text", out var text)) sent = Encoding.UTF8.GetBytes(text.GetString()!);
        else return default;
        if (sent.Length > Batches.MaxEventBytes) throw new FormatException($"{name} is larger than {Batches.MaxEventBytes / 1024} KiB");
        WireObject.Read(sent, FieldPath.Body.Of(name));
        return sent;
    }

    private static string Text(JsonElement json, string name, int most = MaxText)
    {
        if (!json.TryGetProperty(name, out var value) || value.GetString() is not { Length: > 0 } text) throw new FormatException($"{name} is missing");
        return text.EnumerateRunes().Count() <= most && !text.Any(char.IsControl) ? text : throw new FormatException($"{name} is too long or holds control characters");
    }

    private static string Part(JsonElement agent, string name) => agent.GetProperty(name).GetString() is { Length: <= MaxText } text && !text.Contains('|') ? text : throw new FormatException($"agent.{name} cannot be");

    private static long? Number(JsonElement json, string name) => json.TryGetProperty(name, out var value) ? value.GetInt64() : null;
}
