use super::*;

fn simple(text: &str) -> String {
    text.chars().map(simplify).collect()
}

#[test]
fn traditional_and_variant_forms_become_simplified() {
    assert_eq!(simple("臺北市士林區後港街３７號"), "台北市士林区后港街37号");
    assert_eq!(simple("青島市萊西市上海西路"), "青岛市莱西市上海西路");
    assert_eq!(simple("長安衖、華邨、巿北區、衚衕、〇"), "长安弄、华村、市北区、胡同、〇");
}

#[test]
fn widths_radicals_and_compatibility_forms_become_plain() {
    assert_eq!(simple("Ａ座（１２－３）＃　ａ"), "A座(12-3)# a");
    assert_eq!(simplify('⽔'), '水', "a radical");
    assert_eq!(simplify('\u{F9E1}'), '李', "a compatibility ideograph");
    assert_eq!(simplify('\u{2F81A}'), '冬', "one beyond the first plane");
}

#[test]
fn what_has_no_simpler_form_stays() {
    for c in ['A', 'z', '0', '路', '😀', '\u{10FFFF}', '\u{0}', 'é', '乾'] {
        let once = simplify(c);
        assert_eq!(simplify(once), once, "{c}");
    }
    assert_eq!(simplify('😀'), '😀');
    assert_eq!(simplify('é'), 'é');
}

#[test]
fn nothing_has_a_second_step() {
    for c in (0..=0x3FFFF).filter_map(char::from_u32) {
        let once = simplify(c);
        assert_eq!(simplify(once), once, "{c}");
    }
}

fn spelled(c: char) -> Vec<&'static str> {
    syllables(c).iter().map(|&s| syllable_text(s)).collect()
}

#[test]
fn characters_have_their_readings() {
    assert_eq!(spelled('路'), ["lu"]);
    assert_eq!(spelled('崂'), ["lao"]);
    assert_eq!(spelled('〇'), ["ling"]);
    for (c, first, also) in
        [('行', "xing", "hang"), ('长', "zhang", "chang"), ('重', "zhong", "chong"), ('乐', "le", "yue")]
    {
        assert!(spelled(c).contains(&first) && spelled(c).contains(&also), "{c}: {:?}", spelled(c));
    }
    assert_eq!(spelled('嶗'), ["lao"], "the traditional form is read as well");
    assert!(syllables('A').is_empty() && syllables('1').is_empty() && syllables('😀').is_empty());
}

#[test]
fn syllables_are_spelled_and_found() {
    let id = syllable_of("zhuang").unwrap();
    assert_eq!((syllable_text(id), initial(id)), ("zhuang", b'z'));
    assert_eq!(syllable_of("zhuangg"), None);
    assert_eq!(syllable_text(u16::MAX), "");
    assert_eq!(initial(u16::MAX), b' ');
}

#[test]
fn similarity_is_graded() {
    assert_eq!(similar('路', '路'), 1.0);
    assert_eq!(similar('號', '号'), 1.0);
    assert_eq!(similar('山', '珊'), 0.9);
    assert_eq!(similar('清', '青'), 0.95);
    assert_eq!(similar('江', '红'), 0.85);
    assert_eq!(similar('林', '灵'), 0.8, "in and ing");
    assert_eq!(similar('中', '宗'), 0.8, "zh and z");
    assert_eq!(similar('南', '兰'), 0.8, "n and l");
    assert_eq!(similar('江', '湖'), 0.0);
    assert_eq!(similar('路', '街'), 0.0);
    assert_eq!(similar('1', '7'), 0.0);
}

#[test]
fn look_alikes_are_similar_both_ways() {
    let pairs = "江虹 建健 清晴 北比 山出 西四 未末 己巳 土士 日曰 大太 干千 人入 田由 王玉 天夫 石右 今令 阳阴 侯候 沪泸 戊戌 红江 梅海 村材 街衔 石后 泰秦 宁宇 延廷";
    for pair in pairs.split(' ') {
        let (a, b) = (pair.chars().next().unwrap(), pair.chars().nth(1).unwrap());
        assert!(similar(a, b) >= 0.85, "{pair}");
        assert_eq!(similar(a, b), similar(b, a), "{pair}");
    }
}

/// A road must not be taken for another one because its name shares nothing but a radical, or a sense.
#[test]
fn other_characters_are_not_similar() {
    for pair in
        "江河 海河 东西 南北 山水 一二 红黄 松柏 大小 长短 上下 杭州 延安 太平 中华 人民 台湾 广西 新旧 花草".split(' ')
    {
        let (a, b) = (pair.chars().next().unwrap(), pair.chars().nth(1).unwrap());
        assert_eq!(similar(a, b), 0.0, "{pair}");
    }
}

#[test]
fn few_pairs_are_similar_at_all() {
    let common: Vec<char> =
        ('\u{4E00}'..'\u{9FA5}').filter(|&c| homophones(c).next().is_some() && simplify(c) == c).step_by(23).collect();
    let pairs = common.iter().flat_map(|&a| common.iter().map(move |&b| (a, b))).filter(|(a, b)| a != b);
    let alike = pairs.clone().filter(|&(a, b)| similar(a, b) > 0.0).count();
    let share = alike as f64 / pairs.count() as f64;
    assert!(share < 0.015, "{share}");
}

#[test]
fn confusable_characters_are_those_that_are_similar() {
    for c in "江青市路黄岛村號灣南".chars() {
        let others: Vec<char> = confusable(c).collect();
        assert!(!others.is_empty(), "{c}");
        assert!(others.iter().all(|&o| o != c && similar(c, o) > 0.0), "{c}: {others:?}");
    }
    assert!(confusable('江').any(|c| c == '姜') && confusable('江').any(|c| c == '虹'));
    assert!(near_homophones('林').any(|c| c == '灵') && !near_homophones('林').any(|c| c == '临'));
    assert_eq!(confusable('A').count(), 0);
}
