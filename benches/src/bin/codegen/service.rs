//! The sample service: as many methods as asked for, of a few shapes, the same for every framework.

/// What a method takes and answers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Shape {
    /// A number, answered by one or the service's error.
    Number,
    /// A text, answered by one or an error that is a text.
    Text,
    /// Three arguments.
    Triple,
    /// A struct of the method's own, answered by another.
    Order,
    /// A list, answered by one.
    List,
    /// A text, a struct and a flag, answered by a struct.
    Mixed,
}

impl Shape {
    const ALL: [Self; 6] = [Self::Number, Self::Text, Self::Triple, Self::Order, Self::List, Self::Mixed];
}

/// One method of the service.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Method {
    /// Its place in the service: what tells it and its types from others of its shape.
    pub(crate) number: usize,
    pub(crate) shape: Shape,
}

impl Method {
    /// The methods of a service that has so many.
    pub(crate) fn all(count: usize) -> Vec<Self> {
        let shapes = Shape::ALL.into_iter().cycle().take(count);
        shapes.enumerate().map(|(number, shape)| Self { number, shape }).collect()
    }

    pub(crate) fn name(self) -> String {
        let shape = match self.shape {
            Shape::Number => "number",
            Shape::Text => "text",
            Shape::Triple => "triple",
            Shape::Order => "order",
            Shape::List => "list",
            Shape::Mixed => "mixed",
        };
        format!("{shape}_{}", self.number)
    }

    /// The parameters that are arguments.
    pub(crate) fn parameters(self) -> String {
        match self.shape {
            Shape::Number => "n: i64".to_owned(),
            Shape::Text => "text: String".to_owned(),
            Shape::Triple => "left: u32, right: u32, wide: bool".to_owned(),
            Shape::Order => format!("order: Order{}", self.number),
            Shape::List => "id: u64, tags: Vec<String>".to_owned(),
            Shape::Mixed => format!("name: String, order: Order{}, urgent: bool", self.number),
        }
    }

    /// The type of the answer.
    pub(crate) fn answer(self) -> String {
        match self.shape {
            Shape::Number => "Result<i64, Failure>".to_owned(),
            Shape::Text => "Result<String, String>".to_owned(),
            Shape::Triple => "Result<u64, Failure>".to_owned(),
            Shape::List => "Result<Vec<String>, Failure>".to_owned(),
            Shape::Order | Shape::Mixed => format!("Result<Receipt{}, Failure>", self.number),
        }
    }

    /// What the method does: as little as its types allow.
    pub(crate) fn body(self) -> String {
        match self.shape {
            Shape::Number => "n.checked_mul(n).ok_or(Failure::TooLarge)".to_owned(),
            Shape::Text => "if text.is_empty() { Err(String::from(\"empty\")) } else { Ok(text) }".to_owned(),
            Shape::Triple => "Ok(u64::from(left) + u64::from(right) + u64::from(wide))".to_owned(),
            Shape::List => "if id == 0 { Err(Failure::Unknown(id)) } else { Ok(tags) }".to_owned(),
            Shape::Order => self.receipt("true"),
            Shape::Mixed => self.receipt("urgent && !name.is_empty()"),
        }
    }

    fn receipt(self, paid: &str) -> String {
        format!("Ok(Receipt{} {{ id: order.id, total: order.price, paid: {paid} }})", self.number)
    }

    /// The arguments of a call that succeeds.
    pub(crate) fn values(self) -> String {
        match self.shape {
            Shape::Number => "3".to_owned(),
            Shape::Text => "String::from(\"text\")".to_owned(),
            Shape::Triple => "1, 2, true".to_owned(),
            Shape::Order => self.order(),
            Shape::List => "7, vec![String::from(\"tag\")]".to_owned(),
            Shape::Mixed => format!("String::from(\"name\"), {}, true", self.order()),
        }
    }

    /// An order, written out.
    pub(crate) fn order(self) -> String {
        format!("Order{} {{ id: 7, lines: Vec::new(), note: None, price: 2.5 }}", self.number)
    }

    /// Whether there are an order and a receipt of the method's own.
    pub(crate) fn has_structs(self) -> bool {
        matches!(self.shape, Shape::Order | Shape::Mixed)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_service_has_as_many_methods_as_asked_for_each_with_a_name_of_its_own() {
        let mut names: Vec<_> = Method::all(50).into_iter().map(Method::name).collect();
        names.sort();
        names.dedup();
        assert_eq!(names.len(), 50);
    }
}
