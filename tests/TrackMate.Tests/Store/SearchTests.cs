using CsCheck;
using TrackMate.Bind;
using TrackMate.Store.Rebuild;
using TrackMate.Store.Sql;
using TrackMate.Store.Tables;
using TrackMate.Store.Timeline;
using TrackMate.Tests.Model;
using TrackMate.Tests.Running;

namespace TrackMate.Tests.Store;

/// <summary>Search finds whom a look through everybody would find, however far the index is.</summary>
public sealed class SearchTests(TemporaryStore stored) : IClassFixture<TemporaryStore>
{
    private static readonly ActBy Operator = new("tests", Messages.Ten, DryRun: false);

    private static readonly string[] Names = ["Sarah Jones", "José García", "jose", "Anna Lee", "Łukasz", "王伟", "Straße 7", "An", "Nguyễn Văn Đạt"];
    private static readonly string[] Mailboxes = ["sarah", "jose.g", "anna", "lee+x", "jones", "wei"];
    private static readonly string[] Queries = ["sarah", "jose", "garcia jos", "lee anna", "an", "x", "王", "王伟", "strasse", "gmail", ".com", "dat nguyen", "id-1 sarah", "zzz", "id- example", "son", "@gmail.com ann"];

    private sealed record Step(int Kind, int Mailbox, int Name, int External, int Other);

    [Fact]
    public async Task Whoever_has_all_words_is_found_once_at_every_state_of_the_index() =>
        await Gen.Select(Gen.Int[0, 9], Gen.Int[0, 11], Gen.Int[0, Names.Length - 1], Gen.Int[0, 5], Gen.Int[0, 11], (kind, mailbox, name, external, other) => new Step(kind, mailbox, name, external, other))
            .Array[1, 30].SampleAsync(async steps =>
            {
                var company = Messages.Company(stored.NextCompany());
                for (var i = 0; i < steps.Length; i++) await DoAsync(company, steps[i], i);
                AssertFinds(company);
                AssertWhole(company);
                while (await stored.Store.IndexAsync(company))
                {
                }

                AssertFinds(company);
                AssertWhole(company);
            }, iter: StoreUnderTest.Histories(60));

    private async Task DoAsync(Company company, Step step, int number)
    {
        var email = Mailboxes[step.Mailbox % Mailboxes.Length] + (step.Mailbox < Mailboxes.Length ? "@gmail.com" : "@example.org");
        var at = Messages.Ten + number;
        switch (step.Kind)
        {
            case < 5:
                await stored.Store.AppendAsync([Messages.Identify(company, $"s{step.Other}", email, $"i{number}", at) with { Traits = [new("name", $"\"{Names[step.Name]}\""), new("phone", $"\"0170 12345{step.External}\"")] }]);
                break;
            case 5:
                await stored.Store.AppendAsync([Messages.Webhook(company, email, $"w{number}", at, data: $$"""{"orderId":"O-{{step.Other}}"}""") with { Named = [Identifier.Email(company, email), Identifier.External(company, $"id-{step.External}")] }]);
                break;
            case 6:
                await stored.Store.AppendAsync([Messages.Webhook(company, email, $"w{number}", at) with { Named = [Identifier.Bare(Identifier.External(company, $"id-{step.External}").Id)] }]);
                break;
            case 7:
                await stored.Store.IndexAsync(company);
                break;
            case 8:
                await stored.Store.ActAsync(company, (acts, _) => acts.RevokeClaim(company, Origin.Browser, $"i{step.Other}", lift: false, Operator));
                break;
            default:
                var id = Identifier.Email(company, email).Id;
                var state = await stored.Store.EraseAsync(company, erasure => erasure.Begin(company, id, Operator, suppress: false, most: 2));
                while (state is { RowsGone: false } left) state = await stored.Store.EraseAsync(company, erasure => erasure.Continue(left, 2));
                break;
        }
    }

    private void AssertFinds(Company company)
    {
        using var snapshot = stored.Store.Read(company);
        var everybody = new PersonReader(snapshot.Database).List(company, null, 1000).ConvertAll(one => one.Person);
        foreach (var query in Queries)
        {
            var words = SearchText.WordsOf(query);
            var expected = everybody.Where(person => words.All(word => TextsOf(snapshot.Database, person).Any(text => text.Contains(word, StringComparison.Ordinal)))).Select(person => person.Id).Order().ToList();
            foreach (var limit in new[] { 1, 3, 1000 })
            {
                var (found, next, pages) = (new List<ProfileId>(), (SearchPosition?)null, 0);
                do
                {
                    var page = new SearchReader(snapshot.Database).Find(company, query, next, limit);
                    Assert.InRange(page.Persons.Count, 0, limit);
                    found.AddRange(page.Persons.Select(person => person.Id));
                    next = page.Next;
                    Assert.InRange(++pages, 1, 100);
                }
                while (next is not null);
                Assert.True(expected.SequenceEqual(found.Order()), $"{query}, {limit} a page: {string.Join(", ", found)} instead of {string.Join(", ", expected)}");
            }
        }
    }

    /// <summary>Each identifier's text anew, from what was sent.</summary>
    private static IEnumerable<string> TextsOf(Database database, Person person)
    {
        foreach (var identifier in person.Identifiers.Where(identifier => identifier.FirstNamed is not null))
        {
            using var row = database.Use("SELECT value FROM trait WHERE company = ? AND identifier = ? AND name = 'name'");
            var name = row.With(person.Company.Number).With(identifier.Number).Next() ? SearchText.NameIn(row.Text(0)) : null;
            yield return SearchText.Of(identifier.Identifier.Value, name);
        }
    }

    private void AssertWhole(Company company)
    {
        using var beside = stored.OpenBeside();
        var kept = Rows(beside, company);
        beside.BeginWrite([]);
        Rebuilder.Search(beside, company);
        var rebuilt = Rows(beside, company);
        beside.Execute("ROLLBACK");
        View.AssertEqual(rebuilt, kept, "A rebuild of the search gives something else:");
    }

    /// <summary>What people are found by, as text.</summary>
    internal static string Rows(Database database, Company company)
    {
        var text = new List<string>();
        foreach (var sql in new[]
        {
            "SELECT 'bucket', bucket, base, grams FROM search_bucket WHERE company = ?", "SELECT 'alike', hash, identifier, CAST(kind AS text) FROM alike WHERE company = ?",
            "SELECT 'key', kind, message, value FROM event_key WHERE company = ?", "SELECT 'identifier', id, 0, search || COALESCE(' was ' || indexed_as, '') FROM identifier WHERE company = ?",
        })
        {
            using var rows = database.Use(sql);
            rows.With(company.Number);
            while (rows.Next()) text.Add($"{rows.Text(0)} {rows.Long(1)} {rows.Long(2)} {Convert.ToHexString(rows.Bytes(3))}");
        }

        return string.Join('\n', text.Order(StringComparer.Ordinal));
    }

    [Fact]
    public async Task Nothing_of_whom_is_erased_is_left_in_what_people_are_found_by()
    {
        var company = Messages.Company(stored.NextCompany());
        await stored.Store.AppendAsync([Messages.Identify(company, "s", "sarah@gmail.com", "i1"), Messages.Webhook(company, "sarah@gmail.com", "w1", data: """{"orderId":"O-1","trackingNumber":"T 1"}""")]);
        await stored.Store.IndexAsync(company);
        Assert.All(Tables, table => Assert.NotEqual("0", Count(company, table)));

        var state = await stored.Store.EraseAsync(company, erasure => erasure.Begin(company, Identifier.Email(company, "sarah@gmail.com").Id, Operator, suppress: false));
        Assert.True(state!.RowsGone);
        Assert.All(Tables, table => Assert.Equal("0", Count(company, table)));
    }

    [Fact]
    public async Task A_name_that_a_claim_took_with_it_is_not_left_in_the_index_of_one_who_stays()
    {
        var company = Messages.Company(stored.NextCompany());
        await stored.Store.AppendAsync([Messages.Identify(company, "s", "sarah@gmail.com", "i1") with { Traits = [new("name", "\"Zyxwv\"")] }]);
        await stored.Store.AppendAsync([Messages.Webhook(company, "sarah@gmail.com", "w1")]);
        await stored.Store.IndexAsync(company);
        await stored.Store.ActAsync(company, (acts, _) => acts.RevokeClaim(company, Origin.Browser, "i1", lift: false, Operator));
        using (var snapshot = stored.Store.Read(company))
        {
            Assert.Empty(new SearchReader(snapshot.Database).Find(company, "zyx", null, 10).Persons);
            Assert.Single(new SearchReader(snapshot.Database).Find(company, "sarah", null, 10).Persons);
        }

        Assert.NotEqual("0", Count(company, "identifier", "AND indexed_as LIKE '%zyxwv%'"));
        await stored.Store.IndexAsync(company);
        Assert.Equal("0", Count(company, "identifier", "AND indexed_as LIKE '%zyxwv%'"));
        AssertWhole(company);
    }

    [Fact]
    public async Task One_company_never_finds_anothers()
    {
        var (one, other) = (Messages.Company(stored.NextCompany()), Messages.Company(stored.NextCompany()));
        await stored.Store.AppendAsync([Messages.Identify(one, "s", "sarah@gmail.com", "i1"), Messages.Webhook(one, "sarah@gmail.com", "w1", data: """{"orderId":"O-77"}""")]);
        foreach (var isIndexed in new[] { false, true })
        {
            if (isIndexed) await stored.Store.IndexAsync(one);
            using var snapshot = stored.Store.Read(other);
            foreach (var query in new[] { "sarah", "sa", "sarah@gmail.com", "s", "i1", "w1", "O-77", Identifier.Email(one, "sarah@gmail.com").Id.ToString() })
                Assert.Empty(new SearchReader(snapshot.Database).Find(other, query, null, 10).Persons);
        }
    }

    [Fact]
    public async Task A_new_segment_begins_behind_a_full_one_and_all_of_both_are_found()
    {
        var company = Messages.Company(stored.NextCompany());
        for (var i = 0; i < 5000; i += 250)
            await stored.Store.AppendAsync([.. Enumerable.Range(i, 250).Select(n => Messages.Webhook(company, $"person{n}@many.example", $"w{n}", Messages.Ten + n))]);
        while (await stored.Store.IndexAsync(company))
        {
        }

        Assert.Equal("2", Count(company, "search_segment"));
        using (var snapshot = stored.Store.Read(company))
        {
            foreach (var number in new[] { 0, 17, 4095, 4096, 4999 }) Assert.Equal($"person{number}@many.example", Assert.Single(new SearchReader(snapshot.Database).Find(company, $"person{number}@", null, 3).Persons).Email);
            var newest = new SearchReader(snapshot.Database).Find(company, "example many", null, 3);
            Assert.Equal(["person4999@many.example", "person4998@many.example", "person4997@many.example"], newest.Persons.Select(person => person.Email));
            Assert.NotNull(newest.Next);
        }

        AssertWhole(company);
    }

    [Fact]
    public async Task Events_that_an_earlier_version_stored_get_their_keys_and_a_kill_between_loses_none()
    {
        var company = Messages.Company(stored.NextCompany());
        foreach (var some in Enumerable.Range(0, 1800).Chunk(100))
            await stored.Store.AppendAsync([.. some.Select(n => Messages.Webhook(company, $"p{n % 7}@example.com", $"w{n}", Messages.Ten + (n < 900 ? n / 3 : 300), data: $$"""{"orderId":"O-{{n}}"}"""))]);
        using (var beside = stored.OpenBeside())
        {
            beside.BeginWrite([(company.Number, LockMode.Rewrite)]);
            beside.Use("DELETE FROM event_key WHERE company = ?").With(company.Number).Run();
            beside.Use("INSERT INTO backfill (company, task, at) VALUES (?, 'event_key', ?)").With(company.Number).With(long.MaxValue).Run();
            beside.Commit();
        }

        await stored.Store.IndexAsync(company);
        AssertWhole(company);
        while (await stored.Store.IndexAsync(company))
        {
        }

        Assert.Equal("1800", Count(company, "event_key"));
        Assert.Equal("0", Count(company, "backfill"));
        AssertWhole(company);
    }

    private static readonly string[] Tables = ["search_bucket", "alike", "event_key", "identifier"];

    private string? Count(Company company, string table, string where = "") =>
        StoreUnderTest.Read(stored.Folder, $"SELECT CAST(COUNT(*) AS text) FROM {table} WHERE company = {company.Number} {where}", 1)[0][0];
}
